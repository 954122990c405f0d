//go:build !windows

package hook

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

var shell = []string{"sh", "-c"}

// ownGroup gives the command a process group of its own, for two reasons: killing the group also ends what the
// command started, and Ctrl-C at the terminal does not reach it, so that it can finish.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error {
		err := syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}
