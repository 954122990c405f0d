package main

// hubs are the promises about a hub.
var hubs = []promise{
	{
		text: "A key sees the environments of its patterns and no others",
		file: "hub/selection.go", from: "(kind == filter || matches(pattern[1], names.environment))", to: "(kind == filter || names.environment != \"\")",
		folder: "hub", test: "TestNoRelayGetsWhatItsKeyMayNotSee",
	},
	{
		text: "A key sees its projects and no others",
		file: "hub/selection.go", from: "s.all() || matchesAny(s.projects, names.project)", to: "s.all() || len(s.projects) > 0",
		folder: "hub", test: "TestSelections",
	},
	{
		text: "What leaves a view is removed there",
		file: "hub/view.go", from: "if st.how != byDelete {\n\t\t\ttouch(v).gap = true\n", to: "if st.how != byDelete {\n",
		folder: "hub", test: "TestWhatDoesNotTouchAViewSendsNothingThere",
	},
	{
		text: "A stream tells nothing of other views",
		file: "hub/view.go", from: "\t\tif v.shows(it) {\n", to: "\t\tif it.live {\n",
		folder: "hub", test: "TestAStreamTellsNothingOfOtherViews",
	},
	{
		text: "A change of a key's view closes its streams",
		file: "hub/keys.go", from: " && g.selection.id == other.selection.id &&", to: " &&",
		folder: "hub", test: "TestWhatSetKeysCloses",
	},
	{
		text: "A key that is revoked gets nothing more",
		file: "hub/drain.go", from: "\t\tr.out.cut()\n", to: "",
		folder: "hub", test: "TestARevokedKeyGetsNothingMore",
	},
	{
		text: "A former key counts for its time only",
		file: "hub/keys.go", from: "return !g.until.IsZero() && !now.Before(g.until)", to: "return !g.until.IsZero() && !now.Before(g.until.Add(time.Minute))",
		folder: "hub", test: "TestAFormerKeyCountsForAWhile",
	},
	{
		text: "An unknown key is put off for the grace only",
		file: "hub/unknown.go", from: "return now.Sub(first) < grace", to: "return !first.IsZero()",
		folder: "hub", test: "TestAnUnknownKeyMayBecomeKnown",
	},
	{
		text: "An error about keys does not quote them",
		file: "hub/keys.go", from: "return fmt.Errorf(\"key %d (%q): %w\", i+1, key.Name, err)", to: "return fmt.Errorf(\"key %d (%q, %q): %w\", i+1, key.Name, string(key.Key), err)",
		folder: "hub", test: "TestMistakesInKeysChangeNothing",
	},
	{
		text: "A relay resumes only where events alone lead on",
		file: "hub/serve.go", from: "if r.view.leadsOn(at) {", to: "if at >= r.view.first {",
		folder: "hub", test: "TestResume",
	},
	{
		text: "A relay that may have missed a removal gets a put without the environment first",
		file: "hub/write.go", from: "n := b.missed(r.generation); n > 0 {", to: "n := b.missed(r.generation); n < 0 {",
		folder: "hub", test: "TestResume",
	},
	{
		text: "So does one without a known id",
		file: "hub/write.go", from: "n := b.missed(r.generation); n > 0 {", to: "n := b.missed(r.generation); n > 0 && r.generation > 0 {",
		folder: "hub", test: "TestARelayWithoutAKnownIdMayHaveMissedAnything",
	},
	{
		text: "The recent past is bounded",
		file: "hub/options.go", from: "\t\tif events > 0 {\n\t\t\ts.recentEvents = events\n\t\t}\n", to: "\t\t_ = events\n",
		folder: "hub", test: "TestResume",
	},
	{
		text: "Ids are digests of the state",
		file: "hub/view.go", from: "v.digest.Add(it.kind, it.id, it.version)", to: "v.digest.Add(it.kind, it.id, it.version+int(h.state.generation))",
		folder: "hub", test: "TestIdsAreDigestsOfTheState",
	},
	{
		text: "A state has the same id in every hub",
		file: "hub/put.go", from: "point{v.digest, state.generation}", to: "point{v.base.digest, state.generation}",
		folder: "internal/faults/hubmodel", test: "TestEachQuietRelayHasItsView",
	},
	{
		text: "A stored configuration goes to no relay that may have a newer one",
		file: "hub/serve.go", from: `case id != "" && !h.source.Confirmed():`, to: `case id == "\x00" && !h.source.Confirmed():`,
		folder: "hub", test: "TestAStoredConfiguration",
	},
	{
		text: "An event that a relay may have refused is followed by a put",
		file: "hub/early.go", from: "return len(e.ends[end]) > 0", to: "return len(e.ends[end]) < 0",
		folder: "hub", test: "TestAnEventThatMayHaveBeenRefused",
	},
	{
		text: "A relay that says which state it holds is resumed, however soon its stream ended",
		file: "hub/early.go", from: `return r.instance == ""`, to: `return r.instance != "\x00"`,
		folder: "hub", test: "TestARelayThatSaysWhatItHoldsIsResumed",
	},
	{
		text: "A relay that holds the stored configuration is resumed over what was newer",
		file: "hub/view.go", from: "if !h.ready || h.source.Kind != SourceStore {", to: "if !h.ready || h.source.Kind != SourceFile {",
		folder: "hub", test: "TestAStoredConfigurationIsResumedFrom",
	},
	{
		text: "Texts are passed on as they came",
		file: "hub/state.go", from: "in.Text = wire.OneLine(in.Text)", to: "in.Text, _ = json.Marshal(in.names)\n\t\t\t_ = wire.OneLine",
		folder: "hub", test: "TestTextsArePassedOnAsTheyCame",
	},
	{
		text: "What relays would ignore as older comes as puts",
		file: "hub/state.go", from: "case in.Version > it.highest:", to: "case in.Version > it.version:",
		folder: "hub", test: "TestWhenAPutWhenPatches",
	},
	{
		text: "A relay that is resumed from a state that came back may hold a tombstone from before",
		file: "hub/state.go", from: "if it.live || in.Version < it.highest {", to: "if it.live || it.deleted && in.Version < it.version {",
		folder: "hub", test: "TestAStateThatCameBackMayBeHeldFromBefore",
	},
	{
		text: "Each relay comes to have its view, whatever happens in whatever order",
		file: "hub/state.go", from: "\t\t\tit.returned = true\n", to: "\t\t\tit.returned = in.Version < 0\n",
		folder: "internal/faults/hubmodel", test: "TestEachQuietRelayHasItsView",
	},
	{
		text: "There are two puts of a view at most",
		file: "hub/put.go", from: "const maxBodies = 2", to: "const maxBodies = 3",
		folder: "hub", test: "TestTwoPutsAtMost",
	},
	{
		text: "The put of a newcomer is of the present",
		file: "hub/put.go", from: "time.Since(b.made) < reusedFor", to: "time.Since(b.made) < time.Hour",
		folder: "hub", test: "TestANewcomersPutIsOfThePresent",
	},
	{
		text: "A relay that reads nothing is dropped",
		file: "hub/options.go", from: "DefaultWriteTimeout  = time.Minute", to: "DefaultWriteTimeout  = 2 * time.Minute",
		folder: "hub", test: "TestARelayThatReadsNothingIsDropped",
	},
	{
		text: "Relays share a put, so that those which read nothing cost little",
		file: "hub/put.go", from: "n > 0 && of.all[n-1].usable() &&", to: "n > 0 && false &&",
		folder: "hub", test: "TestRelaysThatReadNothingHoldUpNobody",
	},
	{
		text: "Puts are admitted at a rate",
		file: "hub/admission.go", from: "case !due && a.tokens > a.owed:", to: "case !due:",
		folder: "hub", test: "TestAdmission",
	},
	{
		text: "A relay that was refused goes before those that ask for the first time",
		file: "hub/admission.go", from: "case !due && a.tokens > a.owed:", to: "case !due && a.tokens > 0:",
		folder: "hub", test: "TestTurnsGoBeforeNewcomers",
	},
	{
		text: "A refused relay is told the exact moment of its turn",
		file: "hub/admission.go", from: "return false, boundedWait(wait)", to: "return false, boundedWait(wait + 2)",
		folder: "hub", test: "TestARefusedRelayHasATurn",
	},
	{
		text: "A hub that has just started is asked again soon",
		file: "hub/serve.go", from: "max(time.Second, now.Sub(h.started))", to: "max(4*time.Second, now.Sub(h.started))",
		folder: "hub", test: "TestARefusalSaysWhenToComeBack",
	},
	{
		text: "A turn that nobody takes holds up nobody for long",
		file: "hub/admission.go", from: "\t\t\ta.owed -= t.bytes\n\t\t\ta.late", to: "\t\t\ta.late",
		folder: "hub", test: "TestATurnsLimits",
	},
	{
		text: "An event that a relay takes in part is not lost",
		file: "hub/direct.go", from: "d.unsent = chunk[n:]", to: "d.unsent = chunk[:0]\n\t_ = n",
		folder: "hub", test: "TestARelayThatStallsInAnEvent",
	},
	{
		text: "Middleware sees a stream's bytes",
		file: "hub/direct.go", from: " || !fromServer(w)", to: "",
		folder: "hub", test: "TestMiddlewareSeesTheStream",
	},
	{
		text: "A connection with a Write of its own sees a stream's bytes",
		file: "hub/direct.go", from: "return struct{ io.Writer }{conn}, nil", to: "return conn, nil",
		folder: "hub", test: "TestAPatchNeedsNoGoroutineForEachRelay",
	},
	{
		text: "Keepalives of a fleet are spread",
		file: "hub/relay.go", from: "time.NewTimer(rand.N(r.hub.settings.keepalive))", to: "time.NewTimer(r.hub.settings.keepalive - 1 - rand.N(time.Millisecond))",
		folder: "hub", test: "TestKeepalives",
	},
	{
		text: "Relays are sent elsewhere one after the other",
		file: "hub/drain.go", from: "timer.Reset(pause)", to: "timer.Reset(pause / 2)",
		folder: "hub", test: "TestDrain",
	},
	{
		text: "A compressed stream that is put together of pieces has the right checksum",
		file: "hub/checksum.go", from: "c.crc = multiply(next.shift, c.crc) ^ next.crc", to: "c.crc ^= next.crc",
		folder: "hub", test: "TestAStreamOfPiecesIsGzip",
	},
}
