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
}
