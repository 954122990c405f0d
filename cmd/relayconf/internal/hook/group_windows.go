package hook

import (
	"os/exec"
	"syscall"
)

var shell = []string{"cmd", "/C"}

// ownGroup gives the command a process group of its own, so that Ctrl-C at the terminal does not reach it and it can
// finish.
var ownGroup = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}

// terminateGroup does nothing: Windows has no such signal.
func terminateGroup(*exec.Cmd) {}

// killGroup does not end children of the command: Windows has no signal for groups.
func killGroup(command *exec.Cmd) { _ = command.Process.Kill() }
