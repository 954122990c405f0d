// Package hook runs a command for each change, one at a time and in order, without holding up the stream.
package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
)

// Options says what to run, and how.
type Options struct {
	Command string        // run by the shell: sh -c on Unix, cmd /C on Windows
	Timeout time.Duration // longest time for one run; not positive means no limit
	Grace   time.Duration // how long Stop lets the run end that is under way
	Output  io.Writer     // for what the command prints; an *os.File is handed to it as it is
	Report  func(format string, args ...any)
	Before  func() // called before each run, if not nil
}

// Counts says what became of the changes.
type Counts struct {
	Done    int // runs that succeeded
	Failed  int // runs that failed or took too long
	Waiting int // changes whose turn has not come
}

// backlog is the number of waiting changes that is worth a warning; so is each doubling of it. A change waits in less
// than a kilobyte, so a backlog this large costs little memory but tells that the hook can't keep up.
const backlog = 1000

// Runner owns one goroutine, which ends with Drain or Stop.
type Runner struct {
	options Options
	kill    context.CancelFunc // ends the run that is under way
	ended   chan struct{}

	mu      sync.Mutex
	wake    sync.Cond
	queue   []change.Change
	last    bool // no change will be added
	counts  Counts
	warnAt  int
	stopped bool // no further run is to start
}

// Start starts a runner.
func Start(options Options) *Runner {
	ctx, kill := context.WithCancel(context.Background())
	r := &Runner{options: options, kill: kill, ended: make(chan struct{}), warnAt: backlog}
	r.wake.L = &r.mu
	go r.run(ctx)
	return r
}

// Add queues a change. It never blocks: the queue has no limit, for the stream must not wait for a hook and no change
// may be lost. After Drain or Stop it does nothing.
func (r *Runner) Add(c change.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last || r.stopped {
		return
	}
	r.queue = append(r.queue, c)
	r.wake.Signal()
	if len(r.queue) >= r.warnAt {
		r.warnAt *= 2
		r.options.Report("the hook can't keep up: %d changes wait for it", len(r.queue))
	}
}

// Drain waits until every change has had its run, or until the context ends: then it stops the runner as Stop does.
func (r *Runner) Drain(ctx context.Context) Counts {
	r.mu.Lock()
	r.last = true
	r.wake.Signal()
	r.mu.Unlock()
	select {
	case <-r.ended:
		return r.Counts()
	case <-ctx.Done():
		return r.Stop()
	}
}

// Stop starts no further run, and waits for the one that is under way: for the grace time at most, then it is killed.
func (r *Runner) Stop() Counts {
	r.mu.Lock()
	r.stopped = true
	r.wake.Signal()
	r.mu.Unlock()
	grace := time.NewTimer(r.options.Grace)
	defer grace.Stop()
	select {
	case <-r.ended:
	case <-grace.C:
		r.kill()
		<-r.ended
	}
	return r.Counts()
}

// Kill ends the run that is under way at once, with all that it has started, and starts no other.
func (r *Runner) Kill() {
	r.mu.Lock()
	r.stopped = true
	r.wake.Signal()
	r.mu.Unlock()
	r.kill()
	<-r.ended
}

// Counts tells what became of the changes so far.
func (r *Runner) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.counts
	counts.Waiting = len(r.queue)
	return counts
}

func (r *Runner) run(ctx context.Context) {
	defer close(r.ended)
	defer r.kill()
	for {
		next, ok := r.next()
		if !ok {
			return
		}
		if r.options.Before != nil {
			r.options.Before()
		}
		err := r.once(ctx, change.JSON(next, envjson.Whole))
		r.mu.Lock()
		if err == nil {
			r.counts.Done++
		} else {
			r.counts.Failed++
		}
		r.mu.Unlock()
		if err != nil {
			r.options.Report("the hook failed for the change %q: %v", next.Kind, err)
		}
	}
}

// next waits for a change whose turn it is. It returns false when there will be none.
func (r *Runner) next() (change.Change, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case r.stopped:
			return change.Change{}, false
		case len(r.queue) > 0:
			next := r.queue[0]
			r.queue[0] = change.Change{} // so that the array does not keep what has been run
			r.queue = r.queue[1:]
			if len(r.queue) == 0 {
				r.queue, r.warnAt = nil, backlog
			}
			return next, true
		case r.last:
			return change.Change{}, false
		}
		r.wake.Wait()
	}
}

// pipeWait is how long output and input may stay open after the command has ended, for a child that it left behind.
const pipeWait = time.Second

var errTimeout = errors.New("it took too long")

// once runs the command with the change on its standard input. Keys are nowhere else: arguments and environment
// variables can be seen by other processes.
func (r *Runner) once(ctx context.Context, input []byte) error {
	if r.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.options.Timeout, errTimeout)
		defer cancel()
	}
	command := exec.CommandContext(ctx, shell[0], append(shell[1:len(shell):len(shell)], r.options.Command)...)
	command.Stdin = bytes.NewReader(input)
	command.Stdout, command.Stderr = r.options.Output, r.options.Output
	command.WaitDelay = pipeWait
	ownGroup(command)
	err := command.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errTimeout):
		return fmt.Errorf("it ran longer than %s and was killed", r.options.Timeout)
	case ctx.Err() != nil:
		return fmt.Errorf("it did not end within %s of the stop and was killed", r.options.Grace)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // the command itself succeeded
	default:
		return err
	}
}
