package main

// watch are the promises about a sidecar.
var watch = []promise{
	{
		text: "A reader of standard output that stalls holds nothing up",
		file: "cmd/relayconf/stdout.go", from: "_, _ = s.Write(line)", to: "_, _ = color.Output.Write(line)",
		folder: "cmd/relayconf", test: "TestAStalledReaderHoldsNothingUp",
	},
	{
		text: "It gets the newest lines",
		file: "cmd/relayconf/internal/printer/printer.go", from: "p.leftOut += countLines(p.pop())",
		to: "last := len(p.queue) - 1\n\t\tp.leftOut += countLines(p.queue[last])\n" +
			"\t\tp.size -= len(p.queue[last])\n\t\tp.queue = p.queue[:last]",
		folder: "cmd/relayconf/internal/printer", test: "TestAStalledOutputKeepsTheNewestLinesAndSaysHowManyAreMissing",
	},
	{
		text: "A line says how many are missing",
		file: "cmd/relayconf/internal/printer/printer.go", from: "if p.leftOut > 0 {", to: "if p.leftOut < 0 {",
		folder: "cmd/relayconf/internal/printer", test: "TestAStalledOutputKeepsTheNewestLinesAndSaysHowManyAreMissing",
	},
	{
		text: "A log that nobody reads holds nothing up",
		file: "cmd/relayconf/stderr.go", from: "terminal.Writer(stderrPrinter)", to: "terminal.Writer(os.Stderr)",
		folder: "cmd/relayconf", test: "TestAStalledTerminalHoldsNothingUp",
	},
	{
		text: "A write error does not end watch",
		file: "cmd/relayconf/stdout.go", from: "if isClosedPipe(err) {", to: "if err != nil {",
		folder: "cmd/relayconf", test: "TestAFullDiskDoesNotEndWatch",
	},
	{
		text: "With --once, a write error is a failure",
		file: "cmd/relayconf/stdout.go", from: "case !s.once || reason != nil:", to: "case reason == nil:",
		folder: "cmd/relayconf", test: "TestAnUnexpectedFailure",
	},
	{
		text: "A closed pipe ends watch",
		file: "cmd/relayconf/follow.go", from: "\t\tcase <-f.stdout.closed:\n\t\t\treturn errClosedOutput\n", to: "",
		folder: "cmd/relayconf", test: "TestAClosedPipeEndsWatchCleanly",
	},
	{
		text: "With --once, no line is left out",
		file: "cmd/relayconf/stdout.go", from: "limit = 0 //", to: "limit = 1 << 16 //",
		folder: "cmd/relayconf", test: "TestOnceWaitsForASlowReader",
	},
	{
		text: "The output file never shows the middle of a put",
		file: "cmd/relayconf/internal/change/tracker.go", from: "\tt.whole = false\n", to: "",
		folder: "cmd/relayconf", test: "TestTheMiddleOfAPutIsNeverInTheFile",
	},
	{
		text: "The writer waits until the configuration is whole",
		file: "cmd/relayconf/internal/output/writer.go", from: "\tif !whole {\n", to: "\tif !whole && !w.stale {\n",
		folder: "cmd/relayconf/internal/output", test: "TestAPartIsNeverWritten",
	},
	{
		text: "A second put is in the output file as a whole, too",
		file: "cmd/relayconf/internal/change/tracker.go", from: "\tif !put {\n", to: "\tif !put || t.whole {\n",
		folder: "cmd/relayconf", test: "TestASecondPutIsInTheFileAsAWhole",
	},
	{
		text: "The output file is there before the first hook runs",
		file: "cmd/relayconf/follow.go", from: "Before: f.flush,", to: "Before: func(context.Context) {},",
		folder: "cmd/relayconf", test: "TestTheFirstHookFindsTheWholeFile",
	},
	{
		text: "The output file is written piece by piece",
		file: "cmd/relayconf/internal/output/file.go", from: "\te := encoder{out: out}\n",
		to: "\tvar whole bytes.Buffer\n\te := encoder{out: &whole}\n" +
			"\tdefer func() { _, _ = out.Write(whole.Bytes()) }()\n",
		folder: "cmd/relayconf/internal/output", test: "TestTheFileIsWrittenPieceByPiece",
	},
	{
		text: "The output file keeps its permissions",
		file: "cmd/relayconf/internal/output/replace.go", from: "mode, like = info.Mode().Perm(), info", to: "like = info",
		folder: "cmd/relayconf/internal/output", test: "TestTheModeOfTheFile",
	},
	{
		text: "--output-mode sets them",
		file: "cmd/relayconf/follow.go", from: "Mode: o.outputMode, ", to: "",
		folder: "cmd/relayconf", test: "TestTheModeOfTheOutputFile",
	},
	{
		text: "The output file keeps its owner and group",
		file: "cmd/relayconf/internal/output/owner_unix.go", from: "file.Chown(int(want.Uid), int(want.Gid)) == nil", to: "file.Chown(-1, os.Getgid()) == nil",
		folder: "cmd/relayconf/internal/output", test: "TestTheOwnerAndGroupOfTheFile",
	},
	{
		text: "Another group gets no rights to it",
		file: "cmd/relayconf/internal/output/replace.go", from: "mode &^= 0o070", to: "mode &^= 0o030",
		folder: "cmd/relayconf/internal/output", test: "TestAGroupThatCannotBeKeptGetsNoRights",
	},
	{
		text: "A device or a socket in the place of the output file is refused",
		file: "cmd/relayconf/files.go", from: "case err == nil && !info.Mode().IsRegular():", to: "case err == nil && info.Mode()&os.ModeNamedPipe != 0:",
		folder: "cmd/relayconf", test: "TestWhatIsInTheOutputFilesPlaceIsSaidAtTheStart",
	},
	{
		text: "Files that would overwrite each other are refused",
		file: "cmd/relayconf/files.go", from: "if isSameFile(written.path, other.path) {", to: "if isSameFile(written.path, other.path) && written.path != other.path {",
		folder: "cmd/relayconf", test: "TestFilesThatWouldBeOverwritten",
	},
	{
		text: "A first configuration is one reload",
		file: "cmd/relayconf/watch.go", from: "o.hookSettle = defaultSettle", to: "o.hookSettle = 0",
		folder: "cmd/relayconf", test: "TestAFirstPutIsOneReload",
	},
	{
		text: "Changes that never pause are run after ten times the settle time",
		file: "cmd/relayconf/internal/hook/queue.go", from: "q.first.Add(longestSettle*q.settle)", to: "q.latest.Add(longestSettle*q.settle)",
		folder: "cmd/relayconf/internal/hook", test: "TestWhenARunIsDue",
	},
	{
		text: "With --once, a failed hook is an exit code",
		file: "cmd/relayconf/follow.go", from: "return withCode(exitHook, failed)", to: "return nil",
		folder: "cmd/relayconf", test: "TestExitCodes",
	},
	{
		text: "A hook that runs at Ctrl-C gets SIGTERM first",
		file: "cmd/relayconf/internal/hook/once.go", from: "\tterminateGroup(command)\n", to: "\tkillGroup(command)\n",
		folder: "cmd/relayconf/internal/hook", test: "TestStopSendsSIGTERMFirst",
	},
	{
		text: "It may end by itself",
		file: "cmd/relayconf/internal/hook/once.go", from: "\tterminateGroup(command)\n", to: "\tkillGroup(command)\n",
		folder: "cmd/relayconf", test: "TestCtrlCLetsTheRunningHookEndAndStartsNoOther",
	},
	{
		text: "It is killed after its grace time",
		file: "cmd/relayconf/internal/hook/once.go", from: "case <-grace.C:\n\t\tkillGroup(command)", to: "case <-grace.C:\n\t\tterminateGroup(command)",
		folder: "cmd/relayconf/internal/hook", test: "TestStopKillsWhatOutlastsTheGraceTime",
	},
	{
		text: "As process 1, watch leaves no zombie",
		file: "cmd/relayconf/internal/orphans/reap_linux.go", from: "_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)", to: "_ = syscall.Wait4",
		folder: "cmd/relayconf", test: "TestAsProcessOneItLeavesNoZombie",
	},
	{
		text: "The exit status of a hook is not taken by the reaper",
		file: "cmd/relayconf/internal/orphans/reap_linux.go", from: "if !own.pids[pid] {", to: "if own.pids[pid] || pid > 0 {",
		folder: "cmd/relayconf/internal/orphans", test: "TestTheExitStatusOfOurOwnIsLeftToThem",
	},
	{
		text: "Nothing that the service sends steers a terminal",
		file: "cmd/relayconf/internal/terminal/terminal.go", from: "unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)", to: "unicode.IsControl(r)",
		folder: "cmd/relayconf", test: "TestNothingThatIsShownSteersATerminal",
	},
	{
		text: "Nothing in a line steers a terminal",
		file: "cmd/relayconf/internal/terminal/terminal.go", from: "if unicode.IsPrint(r) {", to: "if r >= ' ' {",
		folder: "cmd/relayconf/internal/show", test: "TestNothingInALineSteersATerminal",
	},
	{
		text: "Times are in UTC",
		file: "cmd/relayconf/internal/show/text.go", from: "c.Time.UTC().Format(layout)", to: "c.Time.Format(layout)",
		folder: "cmd/relayconf", test: "TestTimesAreInUTC",
	},
	{
		text: "SIGHUP has its default where there is no key file",
		file: "cmd/relayconf/signals.go", from: `if keyFile != "" && reload != nil {`, to: "if reload != nil {",
		folder: "cmd/relayconf", test: "TestSIGHUPHasItsDefaultWhereThereIsNoKeyFile",
	},
	{
		text: "A key file that is a pipe holds nothing up",
		file: "cmd/relayconf/internal/keysource/open_unix.go", from: "syscall.O_NONBLOCK", to: "syscall.O_CLOEXEC",
		folder: "cmd/relayconf", test: "TestAKeyFileThatIsAPipeHoldsNothingUp",
	},
	{
		text: "systemd is told that watch is ready once there is a configuration",
		file: "cmd/relayconf/health.go", from: "\tcase <-f.complete:\n", to: "\tdefault:\n",
		folder: "cmd/relayconf", test: "TestSystemdIsToldWhenWatchHasAConfiguration",
	},
}
