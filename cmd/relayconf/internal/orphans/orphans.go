// Package orphans keeps a process that runs as process 1 of a container free of zombies: children of a hook that outlive
// it become children of process 1, which has to wait for them. Commands of our own have to be started with Start, so that
// their exit status is left to Wait.
package orphans

import (
	"os/exec"
	"sync"
)

// own are the running commands that somebody waits for. It is as global as the children of a process are.
var own = struct {
	mu   sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

// Start starts a command, for whose end Wait must be called.
func Start(command *exec.Cmd) error {
	own.mu.Lock() // the command may end before its id is known here
	defer own.mu.Unlock()
	if err := command.Start(); err != nil {
		return err
	}
	own.pids[command.Process.Pid] = true
	return nil
}

// Wait waits for the end of a command that was started with Start.
func Wait(command *exec.Cmd) error {
	err := command.Wait()
	own.mu.Lock()
	defer own.mu.Unlock()
	delete(own.pids, command.Process.Pid)
	return err
}
