// Package hook runs a command for changes, one run at a time and in order, without holding up the stream.
package hook

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
)

// Options are the settings of a Runner.
type Options struct {
	Command string        // run by the shell: sh -c on Unix, cmd /C on Windows
	Timeout time.Duration // longest time for one run; not positive means no limit
	Grace   time.Duration // how long Stop lets the run end that is under way
	// Settle gathers changes: a run comes when there was no change for so long, or after ten times as long, and gets them
	// all as a JSON list. Not positive: each change has a run of its own.
	Settle time.Duration
	Output io.Writer // the output of the command; an *os.File is handed to it as it is
	Report func(format string, args ...any)
	Before func(context.Context) // called before each run, if not nil; the context ends with Stop
}

// Counts are the numbers of runs by their outcome, and of waiting changes.
type Counts struct {
	Done    int // runs that succeeded
	Failed  int // runs that failed or took too long
	Waiting int // changes that were in no run
}

// backlog is the number of waiting changes that is worth a warning; so is each doubling of it. A change waits in less
// than a kilobyte, so a backlog this large costs little memory but tells that the hook can't keep up.
const backlog = 1000

// Runner owns one goroutine, which ends with Drain, Stop or Kill.
type Runner struct {
	options Options
	stopped context.Context // ends when no further run is to start
	stop    context.CancelFunc
	killed  context.Context // ends when the run that is under way has to end at once
	kill    context.CancelFunc
	wake    chan struct{} // holds one token after a change or the last one was added
	ended   chan struct{}

	mu     sync.Mutex
	queue  queue
	last   bool // no change will be added
	counts Counts
	warnAt int
}

// Start starts a runner.
func Start(options Options) *Runner {
	r := &Runner{
		options: options,
		wake:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
		queue:   queue{settle: options.Settle},
		warnAt:  backlog,
	}
	r.killed, r.kill = context.WithCancel(context.Background())
	r.stopped, r.stop = context.WithCancel(r.killed)
	go r.run()
	return r
}

// Add queues a change. It never blocks: the queue has no limit, for the stream must not wait for a hook and no change
// may be lost. After Drain or Stop it does nothing.
func (r *Runner) Add(c change.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last || r.stopped.Err() != nil {
		return
	}
	r.queue.add(c, time.Now())
	r.wakeUp()
	// Changes that are gathered for one run are no backlog.
	if waiting := len(r.queue.changes); r.options.Settle <= 0 && waiting >= r.warnAt {
		r.warnAt *= 2
		r.options.Report("the hook can't keep up: %d changes wait for it", waiting)
	}
}

func (r *Runner) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Drain waits until every change has had its run, or until the context ends: then it stops the runner as Stop does. It
// does not wait for changes to settle.
func (r *Runner) Drain(ctx context.Context) Counts {
	r.mu.Lock()
	r.last = true
	r.wakeUp()
	r.mu.Unlock()
	select {
	case <-r.ended:
		return r.Counts()
	case <-ctx.Done():
		return r.Stop()
	}
}

// Stop starts no further run. The run that is under way gets SIGTERM, and is killed if it takes longer than the grace
// time. On Windows, which has no such signal, it has that time to end by itself.
func (r *Runner) Stop() Counts {
	r.stop()
	<-r.ended
	return r.Counts()
}

// Kill ends the run that is under way at once, with all that it has started, and starts no other.
func (r *Runner) Kill() {
	r.kill()
	<-r.ended
}

// Counts returns the counts so far.
func (r *Runner) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.counts
	counts.Waiting = len(r.queue.changes)
	return counts
}

func (r *Runner) run() {
	defer close(r.ended)
	defer r.kill()
	for {
		changes := r.next()
		if changes == nil {
			return
		}
		if r.options.Before != nil {
			r.options.Before(r.stopped)
		}
		if r.stopped.Err() != nil {
			r.putBack(changes)
			return
		}
		count, kind := len(changes), changes[0].Kind
		err := r.once(changes)
		r.mu.Lock()
		if err == nil {
			r.counts.Done++
		} else {
			r.counts.Failed++
		}
		r.mu.Unlock()
		switch {
		case err == nil:
		case r.options.Settle > 0:
			r.options.Report("the hook failed for %d changes: %v", count, err)
		default:
			r.options.Report("the hook failed for the change %q: %v", kind, err)
		}
	}
}

// next waits for the changes of the next run. It returns nil when there will be none.
func (r *Runner) next() []*change.Change {
	settled := time.NewTimer(0)
	defer settled.Stop()
	for r.stopped.Err() == nil {
		r.mu.Lock()
		wait := r.queue.untilDue(time.Now())
		if r.last {
			wait = 0
		}
		if wait == 0 {
			changes := r.queue.take()
			if len(r.queue.changes) == 0 {
				r.warnAt = backlog
			}
			r.mu.Unlock()
			if len(changes) == 0 {
				return nil // the last has had its run
			}
			return changes
		}
		r.mu.Unlock()
		settled.Reset(wait)
		select {
		case <-r.wake:
		case <-settled.C:
		case <-r.stopped.Done():
		}
	}
	return nil
}

// putBack returns changes to the queue whose run has not begun.
func (r *Runner) putBack(changes []*change.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue.changes = append(changes, r.queue.changes...)
}
