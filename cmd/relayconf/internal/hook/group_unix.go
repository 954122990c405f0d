//go:build !windows

package hook

import (
	"os/exec"
	"syscall"
)

var shell = []string{"sh", "-c"}

// ownGroup gives the command a process group of its own, for two reasons: a signal to the group also reaches the
// children of the command, and Ctrl-C at the terminal does not reach it, so that it can finish.
var ownGroup = &syscall.SysProcAttr{Setpgid: true}

// terminateGroup asks the command and its children to end. The group may be gone already.
func terminateGroup(command *exec.Cmd) { _ = syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }

func killGroup(command *exec.Cmd) { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
