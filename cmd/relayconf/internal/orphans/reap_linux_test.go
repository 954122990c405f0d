package orphans

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const soon = time.Minute

// prSetChildSubreaper is PR_SET_CHILD_SUBREAPER of prctl(2): with it, orphans come to this process as they come to
// process 1.
const prSetChildSubreaper = 36

func TestMain(m *testing.M) {
	if Expected() {
		panic("a process is no subreaper unless it asks to be one")
	}
	if _, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); failed != 0 {
		panic(failed)
	}
	goleak.VerifyTestMain(m)
}

// startReaping starts the reaper for the time of a test.
func startReaping(t *testing.T) {
	require.True(t, Expected())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); Reap(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
}

func TestAnOrphanLeavesNoZombie(t *testing.T) {
	startReaping(t)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()
	command := exec.Command("sh", "-c", `(read -r line; exit 3) <&3 & echo $!`)
	held, release, err := os.Pipe()
	require.NoError(t, err)
	command.Stdout, command.ExtraFiles = write, []*os.File{held}
	require.NoError(t, Start(command))
	require.NoError(t, Wait(command))
	line, err := bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	orphan, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(orphan, 0), "it lives on")
	require.NoError(t, write.Close())
	require.NoError(t, held.Close())
	require.NoError(t, release.Close()) // it ends
	require.Eventually(t, func() bool { return syscall.Kill(orphan, 0) == syscall.ESRCH }, soon, 5*time.Millisecond)
}

func TestTheExitStatusOfOurOwnIsLeftToThem(t *testing.T) {
	startReaping(t)
	command := exec.Command("sh", "-c", "exit 7")
	require.NoError(t, Start(command))
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", command.Process.Pid))
		require.NoError(t, err, "it is not waited for by anybody but its owner")
		return isZombieOf(stat, os.Getpid())
	}, soon, 5*time.Millisecond)
	reapAll()
	var exit *exec.ExitError
	require.ErrorAs(t, Wait(command), &exit)
	assert.Equal(t, 7, exit.ExitCode())
	assert.Empty(t, own.pids)
}

func TestZombiesAreKnownByTheirStatus(t *testing.T) {
	for stat, want := range map[string]bool{
		"12 (sh) Z 1 12 12 0":     true,
		"12 (sh) S 1 12 12 0":     false,
		"12 (sh) Z 10 12 12 0":    false,
		"12 (a) Z 1 b) S 7 12 12": false,
		"12 (a) S 7 b) Z 1 12 12": true,
		"":                        false,
	} {
		assert.Equal(t, want, isZombieOf([]byte(stat), 1), stat)
	}
}
