package hook

import (
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/orphans"
)

// pipeWait is how long output and input may stay open after the command has ended, for a child that it left behind.
const pipeWait = time.Second

// once runs the command with the changes on its standard input. Keys are nowhere else: arguments and environment
// variables can be seen by other processes.
func (r *Runner) once(changes []*change.Change) error {
	command := exec.Command(shell[0], append(shell[1:len(shell):len(shell)], r.options.Command)...)
	command.Stdin = r.input(changes)
	command.Stdout, command.Stderr = r.options.Output, r.options.Output
	command.WaitDelay = pipeWait
	command.SysProcAttr = ownGroup
	if err := orphans.Start(command); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- orphans.Wait(command) }()
	err := r.await(command, ended)
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // the command itself succeeded
	}
	return err
}

// await waits for the end of a run, and brings it about when its time is over.
func (r *Runner) await(command *exec.Cmd, ended <-chan error) error {
	var tooLong <-chan time.Time
	if r.options.Timeout > 0 {
		timer := time.NewTimer(r.options.Timeout)
		defer timer.Stop()
		tooLong = timer.C
	}
	select {
	case err := <-ended:
		return err
	case <-tooLong:
		killGroup(command)
		<-ended
		return fmt.Errorf("it ran longer than %s and was killed", r.options.Timeout)
	case <-r.stopped.Done(): // also after Kill
	}
	terminateGroup(command)
	grace := time.NewTimer(r.options.Grace)
	defer grace.Stop()
	select {
	case err := <-ended:
		if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			return fmt.Errorf("it was told to end: %w", err)
		}
		return err
	case <-grace.C:
		killGroup(command)
		<-ended
		return fmt.Errorf("it did not end within %s of the stop and was killed", r.options.Grace)
	case <-r.killed.Done():
		killGroup(command)
		<-ended
		return errors.New("it was killed")
	}
}
