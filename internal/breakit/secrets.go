package main

// secrets are the promises about keys in the texts that people read, about hostile services, endurance and the end.
var secrets = []promise{
	{
		text: "A key shows its last four characters at most",
		file: "internal/mask/mask.go", from: "shown        = 4", to: "shown        = 6",
		folder: "autoconfig", test: "FuzzSecrets",
	},
	{
		text: "A debug log masks every string that is not known to be harmless",
		file: "internal/mask/json.go", from: "return Key(value)", to: "return Shorten(value)",
		folder: "autoconfig", test: "TestNoKeyIsEverLoggedWhole",
	},
	{
		text: "The auto-configuration key is never logged whole",
		file: "config/keys.go", from: `mask.Format(f, verb, "config.AutoConfigKey", string(k))`, to: `_, _ = fmt.Fprint(f, string(k))`,
		folder: "autoconfig", test: "TestNoKeyIsEverLoggedWhole",
	},
	{
		text: "An environment that is logged as JSON has its keys masked",
		file: "envfactory/print.go", from: `slog.Any("sdkKey", p.SDKKey),`, to: `slog.String("sdkKey", string(p.SDKKey)),`,
		folder: "autoconfig", test: "FuzzSecrets",
	},
	{
		text: "The URL of the service is logged without its password",
		file: "internal/stream/request.go", from: "return shown.Redacted()", to: "return shown.String()",
		folder: "autoconfig", test: "TestLogConnectingNamesTheURLWithoutSecrets",
	},
	{
		text: "It is logged without the values of its query",
		file: "internal/stream/request.go", from: `query[name] = []string{"xxxxx"}`, to: `_ = query[name]`,
		folder: "autoconfig", test: "TestLogConnectingNamesTheURLWithoutSecrets",
	},
	{
		text: "The key does not follow a redirect to another host",
		file: "internal/origin/origin.go", from: "previous == nil || of(previous.URL) != of(req.URL)", to: "previous == nil",
		folder: "internal/faults/hostile", test: "TestARedirectToAnotherHostDoesNotGetTheKey",
	},
	{
		text: "A rejection by that host is not the service's",
		file: "internal/stream/response.go", from: " && !e.keyWithheld", to: "",
		folder: "internal/faults/hostile", test: "TestARedirectToAnotherHostDoesNotGetTheKey",
	},
	{
		text: "Memory is bounded whatever the service sends",
		file: "internal/sse/reader.go", from: "if r.limit > 0 && size > r.limit {", to: "if r.limit > 0 && size > 10*r.limit {",
		folder: "internal/faults/hostile", test: "TestWhateverTheServiceDoes",
	},
	{
		text: "A thousand reconnects leave nothing behind",
		file: "internal/stream/line.go", from: "\tl.drop(nil)\n", to: "\tl.drop(nil)\n\tgo func() { <-l.done }()\n",
		folder: "internal/faults/endure", test: "TestAThousandReconnectsLeaveNothingBehind",
	},
	{
		text: "A thousand starts and closes leave nothing behind",
		file: "autoconfig/runner.go", from: "\thangUp()\n", to: "\tgo func() { time.Sleep(time.Hour); hangUp() }()\n",
		folder: "internal/faults/endure", test: "TestAThousandStartsAndClosesLeaveNothingBehind",
	},
	{
		text: "A million patches hold a flat heap",
		file: "internal/state/set.go", from: "\tif fresh.Provisional {\n\t\tif s.provisional == nil {\n\t\t\ts.provisional = map[string]bool{}\n\t\t}\n\t\ts.provisional[known.id] = true\n\t}\n",
		to:     "\tif s.provisional == nil {\n\t\ts.provisional = map[string]bool{}\n\t}\n\tif fresh.Version%16 == 0 {\n\t\ts.provisional[fresh.Text] = true\n\t}\n",
		folder: "internal/faults/endure", test: "TestAMillionPatchesHoldAFlatHeap",
	},
	{
		text: "A handler that panics ends the program",
		file: "autoconfig/dispatch.go", from: "\tfor i := range changes {\n\t\tif ctx.Err() != nil {", to: "\tdefer func() { _ = recover() }()\n\tfor i := range changes {\n\t\tif ctx.Err() != nil {",
		folder: "internal/faults/endure", test: "TestAHandlerThatPanicsEndsTheProgramAndShowsWhere",
	},
	{
		text: "The status tells of the end",
		file: "autoconfig/manager.go", from: "\tm.setState(StateOff)\n", to: "",
		folder: "internal/faults/ends", test: "TestEverythingTellsTheSameStoryOfAnEnd",
	},
	{
		text: "Recordings have fakes for keys",
		file: "cmd/relayconf/internal/fakes/fakes.go", from: "f.fakes[key], f.taken[fake] = fake, true\n\t\treturn fake", to: "f.fakes[key], f.taken[fake] = fake, true\n\t\treturn key",
		folder: "cmd/relayconf", test: "TestARecordingHasFakesForKeysAndTellsTheSameStory",
	},
}
