//go:build !windows

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
)

const tick = 5 * time.Millisecond

func TestAFirstPutIsOneReload(t *testing.T) {
	t.Parallel()
	const n = 3000
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(manyEnvironments(n)...))
	file, runs := inFolder(t, "envs.json"), inFolder(t, "runs")
	require.NoError(t, os.Mkdir(runs, 0o700))
	p := start(t, service(server.URL), "watch", "--output-file", file, "--exec",
		fmt.Sprintf(`cat >%s/$$; cp %s %s/$$.file; echo reloaded`, runs, file, runs))
	p.says(&p.stderr, "reloaded")
	server.Patch(autoconfigtest.MakeEnvironment(n+1, 1))
	require.Eventually(t, func() bool { return strings.Count(p.stderr.String(), "reloaded") == 2 }, soon, tick)
	p.signal(syscall.SIGTERM)
	p.exit(exitOK)

	entries := must(os.ReadDir(runs))
	require.Len(t, entries, 4, "two runs, and the output file as each saw it")
	changes := map[int]int{} // by the number of environments in the file
	for _, entry := range entries {
		if name := runs + "/" + entry.Name(); !strings.HasSuffix(name, ".file") {
			var list []jsonLine
			require.NoError(t, json.Unmarshal(must(os.ReadFile(name)), &list))
			changes[len(readOutput(t, name+".file").Environments)] = len(list)
			assert.NotContains(t, list[0].Environment.SDKKey, "…", "keys are whole")
		}
	}
	assert.Equal(t, map[int]int{n: n + 1, n + 1: 1}, changes)
}

func TestTheFirstHookFindsTheWholeFile(t *testing.T) {
	t.Parallel()
	const n = 900 // below the count that the log warns of
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(manyEnvironments(n)...))
	file := inFolder(t, "envs.json")
	p := start(t, service(server.URL), "watch", "--output-file", file, "--exec-settle", "0",
		"--exec", fmt.Sprintf("grep -c envKey %s", file))
	p.says(&p.stderr, "\n900\n")
	assert.Regexp(t, `Following[^\n]*\n900\n`, p.stderr.String(), "from the first run on")
}

func TestSettlingIsADefaultOnlyWithAnOutputFile(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"hook alone":           {nil, "0s"},
		"with an output file":  {[]string{"--output-file", "f"}, "1s"},
		"each for itself":      {[]string{"--output-file", "f", "--exec-settle", "0"}, "0s"},
		"settled, hook alone":  {[]string{"--exec-settle", "5s"}, "5s"},
		"settled, with a file": {[]string{"--output-file", "f", "--exec-settle", "5s"}, "5s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var o watchOptions
			cmd := &cobra.Command{}
			addWatchFlags(cmd, &o)
			require.NoError(t, cmd.ParseFlags(append([]string{"--exec", "true"}, test.args...)))
			require.NoError(t, o.check(cmd.Flags()))
			assert.Equal(t, test.want, o.hookSettle.String())
		})
	}
}

// The manager's calls are made here, so that the test can look at the file between them.
func TestTheMiddleOfAPutIsNeverInTheFile(t *testing.T) {
	t.Parallel()
	path, seen := inFolder(t, "envs.json"), inFolder(t, "seen")
	f := &follower{
		settings:  settings{loggers: ldlog.NewDisabledLoggers()},
		options:   watchOptions{outputFile: path, hook: fmt.Sprintf("grep -c envKey %s >>%s; echo >>%s.runs", path, seen, seen)},
		print:     func(change.Change) {},
		complete:  make(chan struct{}),
		confirmed: make(chan struct{}),
	}
	f.startOutputs()
	add := func(from, to int) {
		for number := from; number <= to; number++ {
			f.tracker.AddEnvironment(autoconfigtest.MakeEnvironment(number, 1).ToParams())
		}
	}
	hasRun := func(runs int) {
		t.Helper()
		require.Eventually(t, func() bool {
			data, _ := os.ReadFile(seen + ".runs")
			return len(data) == runs
		}, soon, tick)
	}

	f.tracker.Changes(true, nil)
	add(1, 2)
	require.NoFileExists(t, path)
	add(3, 4)
	f.tracker.ReceivedAllEnvironments()
	hasRun(5)
	f.tracker.Changes(false, nil)
	add(5, 5)
	hasRun(6)
	f.tracker.Changes(true, nil)
	for number := range 3 {
		f.tracker.DeleteEnvironment(autoconfigtest.MakeEnvironment(number+1, 1).EnvID)
	}
	require.Eventually(t, func() bool { return f.hook.Counts().Waiting == 2 }, soon, tick, "the hook's turn has come")
	time.Sleep(10 * tick) // that nothing happens can't be waited for otherwise
	require.Len(t, readOutput(t, path).Environments, 5)
	f.tracker.ReceivedAllEnvironments()
	hasRun(10)
	require.NoError(t, f.endOutputs(t.Context(), nil))
	assert.Equal(t, strings.Repeat("4\n", 5)+"5\n"+strings.Repeat("2\n", 4), string(must(os.ReadFile(seen))))
}
