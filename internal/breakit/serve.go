package main

// serve are the promises about relayconf serve: its files, keys, listeners and end.
var serve = []promise{
	{
		text: "The version of an environment that has changed in a file is at least the Unix time",
		file: "cmd/relayconf/internal/filesource/inventory.go", from: "return max(old.version+1, int(now.Unix()))", to: "return old.version + 1",
		folder: "cmd/relayconf/internal/filesource", test: "TestVersions",
	},
	{
		text: "It is larger than the one before, also within a second",
		file: "cmd/relayconf/internal/filesource/inventory.go", from: "return max(old.version+1, int(now.Unix()))", to: "return max(old.version, int(now.Unix()))",
		folder: "cmd/relayconf/internal/filesource", test: "TestVersions",
	},
	{
		text: "A larger version in a file counts",
		file: "cmd/relayconf/internal/filesource/inventory.go", from: "version := max(next(old), i.version())", to: "version := next(old)",
		folder: "cmd/relayconf/internal/filesource", test: "TestVersions",
	},
	{
		text: "What is unchanged in a file keeps its version",
		file: "cmd/relayconf/internal/filesource/inventory.go", from: "if bytes.Equal(i.text(old.version), old.text) && i.version() <= old.version {",
		to:     "if bytes.Equal(i.text(old.version), old.text) && i.version() < old.version {",
		folder: "cmd/relayconf/internal/filesource", test: "TestVersions",
	},
	{
		text: "Versions go on when the store is lost",
		file: "cmd/relayconf/internal/filesource/inventory.go", from: "return max(old.version+1, int(now.Unix()))", to: "return old.version + 1",
		folder: "cmd/relayconf/internal/filesource", test: "TestVersionsGoOnOverRestartsAndLostStores",
	},
	{
		text: "A start with a broken file serves the stored configuration",
		file: "cmd/relayconf/internal/filesource/source.go", from: "if err != nil && environments+filters == 0 {", to: "if err != nil && environments+filters >= 0 {",
		folder: "cmd/relayconf/internal/filesource", test: "TestAStartWithABrokenFileServesTheStoredConfiguration",
	},
	{
		text: "Hubs that share a store come to the same versions",
		file: "cmd/relayconf/internal/filesource/snapshot.go", from: "theirs.version > own[id].version", to: "theirs.version < own[id].version",
		folder: "cmd/relayconf/internal/filesource", test: "TestHubsThatShareAStoreComeToTheSameVersions",
	},
	{
		text: "A list of patterns that is empty is a mistake, and not everything",
		file: "cmd/relayconf/internal/keyfile/keyfile.go", from: "if len(patterns) == 0 && node.Kind == yaml.SequenceNode {", to: "if len(patterns) < 0 && node.Kind == yaml.SequenceNode {",
		folder: "cmd/relayconf/internal/keyfile", test: "TestEveryMistakeNamesItsLineAndNoKey",
	},
	{
		text: "What the key file revokes is revoked",
		file: "cmd/relayconf/servekeys.go", from: "\tif err := s.hub.SetKeys(all); err != nil {\n",
		to:     "\tif len(s.hub.Relays()) > 0 {\n\t\treturn nil\n\t}\n\tif err := s.hub.SetKeys(all); err != nil {\n",
		folder: "cmd/relayconf", test: "TestAKeyFileGivesViewsAndRevokes",
	},
	{
		text: "After a change of the hub's key, the former one counts for its grace",
		file: "cmd/relayconf/servekeys.go", from: "time.Now().Add(s.options.formerKeyGrace)", to: "time.Now()",
		folder: "cmd/relayconf", test: "TestTheFormerKeyCountsForItsGrace",
	},
	{
		text: "Readiness is truthful: a rejection that is over is over",
		file: "cmd/relayconf/internal/ops/readiness.go", from: "case r.State != autoconfig.StateValid && keyRejected(r.LastError):", to: "case keyRejected(r.LastError):",
		folder: "cmd/relayconf/internal/ops", test: "TestReadinessIsTruthful",
	},
	{
		text: "Operators from elsewhere need the token",
		file: "cmd/relayconf/internal/ops/admin.go", from: "subtle.ConstantTimeCompare(want[:], got[:]) == 1", to: "subtle.ConstantTimeCompare(want[:], got[:]) >= 0",
		folder: "cmd/relayconf", test: "TestOperatorsFromElsewhereNeedTheToken",
	},
	{
		text: "A page of another origin changes nothing",
		file: "cmd/relayconf/internal/ops/admin.go", from: "case isForeign(r):", to: "case isForeign(r) && r.Header.Get(\"Origin\") == \"\":",
		folder: "cmd/relayconf/internal/ops", test: "TestTheAdminListenerIsForOperators",
	},
	{
		text: "A relay that makes more calls on its link than an agent does is ended",
		file: "cmd/relayconf/internal/fleet/link.go", from: "if k.calls.Add(1) > maxCalls {", to: "if k.calls.Add(1) < 0*maxCalls {",
		folder: "cmd/relayconf/internal/fleet", test: "TestARelayHasOnlyTheCallsOfAnAgent",
	},
	{
		text: "Connections that never send a request shut out nobody",
		file: "cmd/relayconf/internal/listen/limit.go", from: "if oldest == nil {", to: "if oldest == nil || l.most > 0 {",
		folder: "cmd/relayconf/internal/listen", test: "TestConnectionsThatNeverSendARequestShutOutNobody",
	},
	{
		text: "/readyz fails as soon as the hub is about to end",
		file: "cmd/relayconf/server.go", from: "\ts.draining.Store(true)\n", to: "",
		folder: "cmd/relayconf", test: "TestSIGTERMDrainsTheHub",
	},
	{
		text: "A link that is refused is logged once for each relay and reason",
		file: "cmd/relayconf/internal/fleet/refusals.go", from: "if _, known := r.logged[reason]; known {", to: "if _, known := r.logged[reason]; known && key == \"\" {",
		folder: "cmd/relayconf/internal/fleet", test: "TestAHubLogsTheLinksThatItRefuses",
	},
	{
		text: "The log of links that are refused is bounded",
		file: "cmd/relayconf/internal/fleet/refusals.go", from: "if !r.limit.AllowN(now, 1) {", to: "if !r.limit.AllowN(now, 0) {",
		folder: "cmd/relayconf/internal/fleet", test: "TestTheLogOfRefusalsIsBounded",
	},
	{
		text: "A relay warns of a refusal that lasts, once for each reason",
		file: "link/agent/agent.go", from: "(!lasts(code) || code == a.refusal)", to: "(!lasts(code) || true)",
		folder: "link/agent", test: "TestARefusalThatLastsIsAWarningOnce",
	},
}
