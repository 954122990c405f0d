package main

// rules are the promises about the changes that a message makes: the rules 1 to 11.
var rules = []promise{
	{
		text: "Rule 1: a patch with the version that is known changes nothing",
		file: "internal/state/state.go", from: "known != nil && m.Item.Version <= known.version", to: "known != nil && m.Item.Version < known.version",
		folder: "internal/state", test: "TestRule01OlderAndEqualVersionsAreIgnored",
	},
	{
		text: "Rule 1: a delete with the version that is known changes nothing",
		file: "internal/state/state.go", from: "else if m.Version <= known.version {", to: "else if m.Version < known.version {",
		folder: "internal/state", test: "TestRule01OlderAndEqualVersionsAreIgnored",
	},
	{
		text: "Rule 2: a put removes what it does not list",
		file: "internal/state/put.go", from: "\ts.removeUnlisted(&s.environments, environments, out)\n", to: "\t_ = environments\n",
		folder: "internal/state", test: "TestRule02APutReplacesEverything",
	},
	{
		text: "Rule 2: a put does not mention what is unchanged",
		file: "internal/state/put.go", from: "return fresh.Version > known.version ||", to: "return fresh.Version >= known.version ||",
		folder: "internal/state", test: "TestRule02APutReplacesEverything",
	},
	{
		text: "Rule 2: an older version in a put keeps what is known",
		file: "internal/state/put.go", from: "return fresh.Version > known.version ||", to: "return fresh.Version != known.version ||",
		folder: "internal/state", test: "TestRule02APutReplacesEverything",
	},
	{
		text: "Rule 2: each put ends with ReceivedAllEnvironments",
		file: "internal/state/put.go", from: "\tout.add(Change{Kind: AllReceived})\n", to: "\tif len(out.Changes) > 0 {\n\t\tout.add(Change{Kind: AllReceived})\n\t}\n",
		folder: "internal/state", test: "TestRule02APutReplacesEverything",
	},
	{
		text: "Rule 2: of an id that a put lists twice, the last entry counts",
		file: "internal/state/put.go", from: "items = s.lastOfEach(entries)", to: "_ = s.lastOfEach(entries)",
		folder: "internal/state", test: "TestRule02APutReplacesEverything",
	},
	{
		text: "Rule 2: what is unchanged is not decoded",
		file: "internal/wire/put_steps.go", from: "string(text[at:at+len(known)]) == known {", to: "string(text[at:at+len(known)]) == known && at < 0 {",
		folder: "internal/state", test: "TestRule02AnUnchangedPutIsNotDecoded",
	},
	{
		text: "Rule 3: a delete leaves a tombstone",
		file: "internal/state/set.go", from: `known.text, known.version = "", version`, to: `known.text, known.version = "", neverSeen`,
		folder: "internal/state", test: "TestRule03DeletesLeaveTombstones",
	},
	{
		text: "Rule 3: a delete of what was never seen leaves one, too",
		file: "internal/state/state.go", from: "\t\tknown = set.add(m.ID, hash)\n\t} else", to: "\t\treturn\n\t} else",
		folder: "internal/state", test: "TestRule03DeletesLeaveTombstones",
	},
	{
		text: "Rule 3: a put clears tombstones",
		file: "internal/state/set.go", from: "if listed.has(place) {", to: "if listed.has(place) || known.text == \"\" && known.version != neverSeen {",
		folder: "internal/state", test: "TestRule03DeletesLeaveTombstones",
	},
	{
		text: "Rule 4: what a put removed may come back with any version",
		file: "internal/state/set.go", from: "\t\t\tremoved = append(removed, known)\n",
		to: "\t\t\tremoved = append(removed, known)\n\t\t\ts.index.add(wire.Hash(wire.View(known.id)), len(kept))\n" +
			"\t\t\tkept = append(kept, item{id: known.id, version: known.version})\n",
		folder: "internal/state", test: "TestRule04WhatAPutRemovedMayComeBack",
	},
	{
		text: "Rule 5: an environment with another id inside is ignored",
		file: "internal/wire/environment.go", from: "misplaced := inside != string(id)", to: "misplaced := false",
		folder: "internal/state", test: "TestRule05MismatchedIDsAreIgnored",
	},
	{
		text: "Rule 5: that costs no environment that is known",
		file: "internal/state/put.go", from: "if known.version == neverSeen {", to: "if known.version == neverSeen || items[i].entry.Misplaced {",
		folder: "internal/state", test: "TestRule05MismatchedIDsAreIgnored",
	},
	{
		text: "Rule 6: a put with another path is ignored",
		file: "internal/wire/put.go", from: `if d.path != "/" {`, to: `if d.path == "//" {`,
		folder: "internal/state", test: "TestRule06Paths",
	},
	{
		text: "Rule 6: paths count without the leading slash",
		file: "internal/wire/path.go", from: `bytes.TrimPrefix(path, []byte("/"))`, to: `path[min(1, len(path)):]`,
		folder: "internal/state", test: "TestRule06Paths",
	},
	{
		text: "Rule 6: no other path is one of an environment",
		file: "internal/wire/path.go", from: ` || bytes.IndexByte(id, '/') >= 0`, to: ``,
		folder: "internal/state", test: "TestRule06Paths",
	},
	{
		text: "Rule 7: text that is not JSON to its end is an error",
		file: "internal/wire/put.go", from: "scanned < len(d.pending) || !d.ended", to: "scanned < len(d.pending)",
		folder: "internal/state", test: "TestRule07MalformedDataIsAnError",
	},
	{
		text: "Rule 7: malformed data drops the connection",
		file: "autoconfig/runner.go", from: `r.invalid(verdict, fmt.Errorf("a malformed %s event of %d bytes: %w", item.Name, len(item.Data), err))`,
		to:     `r.m.loggers.Warnf("%s", fmt.Errorf("a malformed event: %w", err))`,
		folder: "autoconfig", test: "TestRule07MalformedDataKeepsTheStateAndReconnects",
	},
	{
		text: "Rule 7: the error does not quote malformed data",
		file: "autoconfig/runner.go", from: `fmt.Errorf("a malformed %s event of %d bytes: %w", item.Name, len(item.Data), err)`,
		to:     `fmt.Errorf("a malformed %s event: %s: %w", item.Name, item.Data, err)`,
		folder: "autoconfig", test: "TestRule07MalformedDataKeepsTheStateAndReconnects",
	},
	{
		text: "Rule 7: an event over the size limit drops the connection",
		file: "internal/sse/reader.go", from: "if r.limit > 0 && size > r.limit {", to: "if r.limit > 0 && size > 1000*r.limit {",
		folder: "autoconfig", test: "TestRule07MalformedDataKeepsTheStateAndReconnects",
	},
	{
		text: "Rule 7: a large put counts when it is whole",
		file: "autoconfig/runner.go", from: "err != nil || item.More {", to: "err != nil {",
		folder: "autoconfig", test: "TestRule07ALargePutThatIsCutOffChangesNothing",
	},
	{
		text: "Rule 7: what came of a put that was cut off is forgotten",
		file: "autoconfig/runner.go", from: "func (r *runner) lost(signal *stream.Signal) {\n\tr.put = nil\n", to: "func (r *runner) lost(signal *stream.Signal) {\n",
		folder: "autoconfig", test: "TestAPutThatWasCutOffKeepsNothing",
	},
	{
		text: "An event that was cut off before its blank line is not applied",
		file: "internal/sse/reader.go", from: "\t\tif r.err != nil {\n\t\t\tr.lines, r.data",
		to: "\t\tif r.err != nil {\n\t\t\tif item, ok := r.dispatch(); ok {\n\t\t\t\treturn item, nil\n\t\t\t}\n" +
			"\t\t\tr.lines, r.data",
		folder: "internal/faults/line", test: "TestACutAtEveryOffset",
	},
	{
		text: "Rule 8: a malformed set of keys leaves the environment as it was",
		file: "internal/state/state.go", from: "if set == &s.environments && !s.acceptKeys(fresh, now, out) {",
		to:     "if set == &s.environments && !s.acceptKeys(fresh, now, out) && known == nil {",
		folder: "internal/state", test: "TestRule08MalformedKeysLeaveTheEnvironmentAsItWas",
	},
	{
		text: "Rule 8: it drops the connection for a fresh put",
		file: "autoconfig/runner.go", from: "r.invalid(verdict, out.InvalidKeys)", to: "r.setNeedsPut(true)",
		folder: "autoconfig", test: "TestRule08MalformedKeysReconnectAfterTheRestWasApplied",
	},
	{
		text: "Rule 8: the default SDK key must be in the list of keys",
		file: "envfactory/validate.go", from: "case len(r.SDKKeys) > 0 && !listed(r.SDKKeys, string(r.SDKKey.Value)):", to: "case len(r.SDKKeys) < 0:",
		folder: "envfactory", test: "TestRule08ValidateKeys",
	},
	{
		text: "Rule 9: a key expires when its time comes",
		file: "internal/state/expiry.go", from: "!ok || now.Before(at) {", to: "!ok || !now.After(at) {",
		folder: "internal/state", test: "TestRule09KeysExpireOnceWhenTheirTimeComes",
	},
	{
		text: "Rule 9: a key whose time is over does not expire again",
		file: "internal/state/expiry.go", from: "range params.AcceptedSDKKeys {\n\t\tif key.Expiry.After(now) {", to: "range params.AcceptedSDKKeys {\n\t\tif !key.Expiry.IsZero() {",
		folder: "internal/state", test: "TestRule09KeysExpireOnceWhenTheirTimeComes",
	},
	{
		text: "Rule 9: mobile keys expire, too",
		file: "internal/state/expiry.go", from: "range params.AcceptedMobileKeys {\n\t\tif key.Expiry.After(now) {", to: "range params.AcceptedMobileKeys {\n\t\tif key.Expiry.Before(now) {",
		folder: "internal/state", test: "TestRule09KeysExpireOnceWhenTheirTimeComes",
	},
	{
		text: "Rule 10: a key that is listed with another time moves its timer",
		file: "internal/state/expiry.go", from: "\tq.remove(params.EnvID)\n", to: "",
		folder: "internal/state", test: "TestRule10ATimerBelongsToAnEnvironmentAndAKey",
	},
	{
		text: "Rule 10: a key that is no longer listed does not expire",
		file: "internal/state/state.go", from: "s.expiries.remove(config.EnvironmentID(fresh.ID))", to: "_ = config.EnvironmentID(fresh.ID)",
		folder: "internal/state", test: "TestRule10ATimerBelongsToAnEnvironmentAndAKey",
	},
	{
		text: "Rule 10: a key of an environment that was deleted does not expire",
		file: "internal/state/state.go", from: "s.expiries.remove(config.EnvironmentID(m.ID))", to: "_ = config.EnvironmentID(m.ID)",
		folder: "internal/state", test: "TestRule10ATimerBelongsToAnEnvironmentAndAKey",
	},
	{
		text: "Rule 10: a key of an environment that a put removed does not expire",
		file: "internal/state/put.go", from: "s.expiries.remove(config.EnvironmentID(gone.id))", to: "_ = config.EnvironmentID(gone.id)",
		folder: "internal/state", test: "TestRule10ATimerBelongsToAnEnvironmentAndAKey",
	},
	{
		text: "Rule 9: keys expire while there is no connection",
		file: "autoconfig/runner.go", from: "\tselect {\n\tcase <-r.m.ctx.Done():\n\t\treturn ErrClosed\n\tcase <-r.expiry.C:",
		to: "\texpired := r.expiry.C\n\tif r.m.Status().State == StateInterrupted {\n\t\texpired = nil\n\t}\n" +
			"\tselect {\n\tcase <-r.m.ctx.Done():\n\t\treturn ErrClosed\n\tcase <-expired:",
		folder: "autoconfig", test: "TestRule09KeysExpireWhileThereIsNoConnection",
	},
	{
		text: "Rule 11: after one key, the timer is set for the next",
		file: "autoconfig/expiry.go", from: "\tr.setExpiryTimer(time.Now())\n", to: "",
		folder: "autoconfig", test: "TestRule11KeysExpireByTheWallClockOfTheRunLoop",
	},
	{
		text: "Rule 11: a key that expires in the middle of a burst expires there",
		file: "autoconfig/runner.go", from: "if !r.expiryAt.IsZero() {", to: "if r.expiryAt.IsZero() {",
		folder: "autoconfig", test: "TestRule11AKeyExpiresInTheMiddleOfABurst",
	},
	{
		text: "The earliest key is the next to expire",
		file: "internal/state/expiry.go", from: "return q.queue[0].at, true", to: "return q.queue[len(q.queue)-1].at, true",
		folder: "internal/state", test: "TestRule11OneTimeIsNext",
	},
	{
		text: "Messages are understood as encoding/json understands them",
		file: "internal/wire/put_steps.go", from: "string(name) == want || strings.EqualFold(string(name), want)", to: "string(name) == want || strings.HasPrefix(string(name), want)",
		folder: "internal/wire", test: "FuzzDecodePut",
	},
	{
		text: "The relay is told what the rules say, and nothing else",
		file: "internal/state/put.go", from: "fresh.Version == known.version && known.text == \"\"", to: "fresh.Version == known.version && known.text == \"\\x00\"",
		folder: "internal/faults/model", test: "TestRelayIsToldWhatTheRulesSay",
	},
}
