package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

// asSubreaper, in the environment of the command, has orphans come to it, as they come to process 1.
const asSubreaper = "RELAYCONF_TEST_AS_SUBREAPER"

// prSetChildSubreaper is PR_SET_CHILD_SUBREAPER of prctl(2).
const prSetChildSubreaper = 36

func init() {
	if os.Getenv(asSubreaper) == "" {
		return
	}
	if _, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); failed != 0 {
		panic(failed)
	}
}

func TestAsProcessOneItLeavesNoZombie(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(manyEnvironments(20)...))
	pids := inFolder(t, "pids")
	// The process that a hook leaves behind ends after the hook.
	p := start(t, append(service(server.URL), asSubreaper+"=1"), "watch", "--exec",
		fmt.Sprintf("(sleep 0.1; exit 3) & echo $! >>%s", pids))
	p.says(&p.stdout, "received all")
	require.Eventually(t, func() bool {
		data, _ := os.ReadFile(pids)
		return strings.Count(string(data), "\n") == 21
	}, soon, tick)
	for line := range strings.Lines(string(must(os.ReadFile(pids)))) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }, soon, tick, "%d is left", pid)
	}
	p.signal(syscall.SIGTERM)
	p.exit(exitOK)
	require.NotContains(t, p.stderr.String(), "the hook failed", "their own exit status is theirs")
}
