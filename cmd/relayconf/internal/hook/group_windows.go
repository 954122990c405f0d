package hook

import (
	"os/exec"
	"syscall"
)

var shell = []string{"cmd", "/C"}

// ownGroup gives the command a process group of its own, so that Ctrl-C at the terminal does not reach it and it can
// finish. Killing it does not end what it started: Windows has no signal for groups.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
