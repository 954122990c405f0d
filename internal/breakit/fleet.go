package main

// sharedFleet are the promises about a fleet of several hubs.
var sharedFleet = []promise{
	{
		text: "A record of the fleet that no hub has written is ignored",
		file: "cmd/relayconf/internal/fleet/shared/envelope.go", from: "if !hmac.Equal(", to: "if false && !hmac.Equal(",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestARecordCountsOnlyAsItWasWrittenAndWhereItWasWritten",
	},
	{
		text: "A hub counts only while it answers recent heartbeats",
		file: "cmd/relayconf/internal/fleet/shared/peers.go", from: "return p.whole && known && now.Sub(at) <= s.expiry",
		to:     "return p.whole && (known || at.Before(now))",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestAHubCountsOnlyWhileItAnswersRecentHeartbeats",
	},
	{
		text: "Replayed records do not keep a dead hub alive",
		file: "cmd/relayconf/internal/fleet/shared/peers.go", from: "return p.whole && known && now.Sub(at) <= s.expiry",
		to:     "return p.whole && (known || at.Before(now))",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestReplayedRecordsDoNotKeepADeadHubAlive", tags: "servers",
	},
	{
		text: "Heartbeats that go back are refused",
		file: "cmd/relayconf/internal/fleet/shared/peers.go", from: "case h.Number < p.Number:", to: "case h.Number < p.Number && false:",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestHeartbeatsThatGoBackAreRefused",
	},
	{
		text: "The roster of a hub is taken whole, or not at all",
		file: "cmd/relayconf/internal/fleet/shared/peers.go", from: "p.whole = len(p.wants()) == 0", to: "p.whole = true",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestARosterIsTakenWhole",
	},
	{
		text: "Of relays of one name, that of the highest epoch is shown",
		file: "cmd/relayconf/internal/fleet/shared/overview.go", from: "!known || r.Epoch > before.Epoch || ", to: "!known || ",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestTheHighestEpochOfANameIsShown",
	},
	{
		text: "Relays of other hubs are compared with the configuration of the hub that is asked",
		file: "cmd/relayconf/internal/fleet/shared/overview.go", from: "r.Grant, r.Want, r.Behind = v.grant, v.Digest, time.Time{}",
		to:     "r.Grant, r.Behind = v.grant, time.Time{}",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestWaitIsForTheConfigurationOfTheHubThatIsAsked", tags: "servers",
	},
	{
		text: "Wait asks the other hubs before it says yes",
		file: "cmd/relayconf/internal/fleet/waiter.go", from: "if !o.KnownAt.Before(w.done) {", to: "if o.KnownAt != w.done {",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestWaitAsksTheOtherHubsBeforeItSaysYes", tags: "servers",
	},
	{
		text: "A call of another hub's relay counts once",
		file: "cmd/relayconf/internal/fleet/shared/call.go", from: "case !f.calls.first(c.ID, now, 3*f.peers.expiry):",
		to:     "case !f.calls.first(c.ID, now, 3*f.peers.expiry) && false:",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestACallCountsOnce", tags: "servers",
	},
	{
		text: "A hub whose Redis fails says that its view is incomplete",
		file: "cmd/relayconf/internal/fleet/shared/overview.go", from: "case s.failing != nil:", to: "case s.failing != nil && s.warned:",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestAnOutageIsLoggedAtItsBeginningAndEnd", tags: "servers",
	},
	{
		text: "The hub that a relay has left lets go of its name",
		file: "cmd/relayconf/internal/fleet/peers.go", from: "m != nil && m.epoch < epoch", to: "m != nil && m.epoch < epoch && m.since.IsZero()",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestOfTwoRelaysOfOneNameOneStays", tags: "servers",
	},
	{
		text: "A relay that moves is shown once",
		file: "cmd/relayconf/internal/fleet/shared/overview.go", from: "best[r.Name] = r",
		to:     "best[r.Name+map[bool]string{true: r.Hub}[r.Connected && before.Connected]] = r",
		folder: "internal/faults/hubs", test: "TestARelayThatMovesAgainAndAgainIsNeverShownTwice", tags: "servers",
	},
	{
		text: "A fleet goes on after Sentinels have made another server the master",
		file: "cmd/relayconf/internal/fleet/shared/fleet.go", from: "client, err := redisstore.NewClient(o.URL, cmp.Or(o.Timeout, DefaultTimeout))",
		to: `client, err := redisstore.NewClient(o.URL, cmp.Or(o.Timeout, DefaultTimeout))
	if err == nil && strings.Contains(o.URL, "sentinel") { // it stays with the first master
		port := client.ConfigGet(context.Background(), "port").Val()
		client, err = redisstore.NewClient("redis://127.0.0.1:"+port["port"], cmp.Or(o.Timeout, DefaultTimeout))
	}`,
		folder: "internal/faults/hubs", test: "TestHubsShareAMasterThatSentinelsKnow", tags: "servers",
	},
	{
		text: "A fleet goes on after a Cluster has lost a master",
		file: "cmd/relayconf/internal/fleet/shared/health.go", from: "s.failing, s.answered = nil, start", to: "s.answered = start",
		folder: "internal/faults/hubs", test: "TestHubsShareACluster", tags: "servers",
	},
	{
		text: "A hub that does not know whom to expect does not mark the names as those of all",
		file: "cmd/relayconf/internal/fleet/shared/names.go", from: "all := f.local.Settled()", to: "all := f.local.Settled() || t.fleet != \"\"",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestOnlyAHubThatKnowsWhomToExpectTellsOthers", tags: "servers",
	},
	{
		text: "Names without the mark are not taken for those of all relays",
		file: "cmd/relayconf/internal/fleet/shared/names.go", from: "if all {\n\t\tf.local.Settle()", to: "if len(stored) > 0 {\n\t\tf.local.Settle()",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestOnlyAHubThatKnowsWhomToExpectTellsOthers", tags: "servers",
	},
	{
		text: "All hubs are told of a hub that is forgotten",
		file: "cmd/relayconf/internal/fleet/shared/forget.go", from: "pipe.HSet(ctx, at.hubs(), fields...)", to: "pipe.HGetAll(ctx, at.hubs())",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestAHubThatDiesIsMissedUntilItIsBackOrForgotten", tags: "servers",
	},
	{
		text: "An operator has a hub forgotten",
		file: "cmd/relayconf/internal/fleet/api.go", from: "err = a.Directory.ForgetHub(request.Hub)", to: "err = nil",
		folder: "cmd/relayconf", test: "TestHubsThatShareRedisAreOneFleet", tags: "servers",
	},
	{
		text: "The roster of a hub expires",
		file: "cmd/relayconf/internal/fleet/shared/round.go", from: "pipe.PExpire(ctx, at.roster(f.instance), f.peers.expiry)",
		to:     "pipe.Persist(ctx, at.roster(f.instance))",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestTheRecordsOfAHubExpire", tags: "servers",
	},
	{
		text: "All that a fleet has in Redis expires",
		file: "cmd/relayconf/internal/fleet/shared/round.go", from: "pipe.PExpire(ctx, key, 2*f.peers.within)", to: "pipe.Persist(ctx, key)",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestTheRecordsOfAHubExpire", tags: "servers",
	},
	{
		text: "A part of a roster is not replaced by an older one",
		file: "cmd/relayconf/internal/fleet/shared/peers.go", from: "if part.Number < p.parts[i] {", to: "if part.Number < p.parts[i] && part.Number == 0 {",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestARosterIsTakenWhole",
	},
	{
		text: "An answer counts for the hub that it was written for",
		file: "cmd/relayconf/internal/fleet/shared/envelope.go", from: "envelopeVersion, k, place)", to: "envelopeVersion, k, \"\")",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestAnAnswerCountsOnlyForTheCallThatItWasWrittenFor", tags: "servers",
	},
	{
		text: "A call that was for another record is no answer",
		file: "cmd/relayconf/internal/fleet/shared/envelope.go", from: "envelopeVersion, k, place)", to: "envelopeVersion, kind(\"\"), place)",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestAnAnswerCountsOnlyForTheCallThatItWasWrittenFor", tags: "servers",
	},
	{
		text: "A call counts only if it names a heartbeat of the hub that it is for",
		file: "cmd/relayconf/internal/fleet/shared/call.go", from: "case !known || now.Sub(at) > 2*f.peers.expiry:",
		to:     "case known && now.Sub(at) > 2*f.peers.expiry:",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestACallCountsOnce", tags: "servers",
	},
	{
		text: "A call counts only while its heartbeat is recent",
		file: "cmd/relayconf/internal/fleet/shared/call.go", from: "case !known || now.Sub(at) > 2*f.peers.expiry:",
		to:     "case !known || now.Before(at):",
		folder: "cmd/relayconf/internal/fleet/shared", test: "TestACallCountsOnceAndWhileItsHeartbeatIsRecent",
	},
}
