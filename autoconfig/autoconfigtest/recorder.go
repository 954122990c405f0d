package autoconfigtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// Recorder is an autoconfig.MessageHandler, with all the optional interfaces, that keeps the calls it gets. The zero
// value is ready for use. Its methods may be called from any goroutine.
type Recorder struct {
	watched watched // guards the fields below
	calls   []Call
	next    int // index of the call that Next returns
}

var (
	_ autoconfig.MessageHandler   = (*Recorder)(nil)
	_ autoconfig.FilterHandler    = (*Recorder)(nil)
	_ autoconfig.MobileKeyHandler = (*Recorder)(nil)
	_ autoconfig.KeepAliveHandler = (*Recorder)(nil)
)

// NewRecorder returns a Recorder that has seen no calls.
func NewRecorder() *Recorder { return &Recorder{} }

// Calls returns every call so far, in order. Calling it does not affect Next.
func (r *Recorder) Calls() []Call {
	var calls []Call
	r.watched.read(func() { calls = slices.Clone(r.calls) })
	return calls
}

// Next returns the next call that neither Next nor WaitFor has returned or passed over. If none comes within the timeout,
// the test fails.
func (r *Recorder) Next(tb testing.TB, timeout time.Duration) Call {
	if tb != nil {
		tb.Helper()
	}
	return r.wait(tb, timeout, "no further call came", func(Call) bool { return true })
}

// WaitFor returns the first call that matches, and passes over all before it. It starts where Next would. If none comes
// within the timeout, the test fails.
func (r *Recorder) WaitFor(tb testing.TB, timeout time.Duration, match func(Call) bool) Call {
	if tb != nil {
		tb.Helper()
	}
	return r.wait(tb, timeout, "no call came that matches", match)
}

// WaitForKind is WaitFor with a match on the kind of call alone.
func (r *Recorder) WaitForKind(tb testing.TB, timeout time.Duration, kind CallKind) Call {
	if tb != nil {
		tb.Helper()
	}
	return r.wait(tb, timeout, fmt.Sprintf("no %s call came", kind), func(c Call) bool { return c.Kind == kind })
}

func (r *Recorder) wait(tb testing.TB, timeout time.Duration, complaint string, match func(Call) bool) Call {
	var found Call
	var seen int // how many calls were passed over before this wait
	r.watched.read(func() { seen = r.next })
	if r.watched.wait(timeout, func() bool {
		for r.next < len(r.calls) {
			found = r.calls[r.next]
			r.next++
			if match(found) {
				return true
			}
		}
		return false
	}) {
		return found
	}
	if tb != nil {
		tb.Helper()
	}
	fail(tb, "%s within %v; %s", complaint, timeout, story(r.Calls(), seen))
	return Call{}
}

// story lists calls for a failure message: those that earlier waits took, and the rest.
func story(calls []Call, taken int) string {
	if len(calls) == 0 {
		return "there was no call at all"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "the calls so far, of which the first %d had been waited for before:", taken)
	for i, call := range calls {
		fmt.Fprintf(&text, "\n%4d. %s", i+1, call)
	}
	return text.String()
}

func (r *Recorder) add(call Call) {
	r.watched.update(func() { r.calls = append(r.calls, call) })
}

// AddEnvironment keeps the call.
func (r *Recorder) AddEnvironment(params envfactory.EnvironmentParams) {
	r.add(Call{Kind: AddEnvironment, ID: params.EnvID, Params: params})
}

// UpdateEnvironment keeps the call.
func (r *Recorder) UpdateEnvironment(params envfactory.EnvironmentParams) {
	r.add(Call{Kind: UpdateEnvironment, ID: params.EnvID, Params: params})
}

// ReceivedAllEnvironments keeps the call.
func (r *Recorder) ReceivedAllEnvironments() { r.add(Call{Kind: ReceivedAllEnvironments}) }

// DeleteEnvironment keeps the call.
func (r *Recorder) DeleteEnvironment(id config.EnvironmentID) {
	r.add(Call{Kind: DeleteEnvironment, ID: id})
}

// KeyExpired keeps the call.
func (r *Recorder) KeyExpired(id config.EnvironmentID, oldKey config.SDKKey) {
	r.add(Call{Kind: KeyExpired, ID: id, SDKKey: oldKey})
}

// MobileKeyExpired keeps the call.
func (r *Recorder) MobileKeyExpired(id config.EnvironmentID, oldKey config.MobileKey) {
	r.add(Call{Kind: MobileKeyExpired, ID: id, MobileKey: oldKey})
}

// AddFilter keeps the call.
func (r *Recorder) AddFilter(params envfactory.FilterParams) {
	r.add(Call{Kind: AddFilter, FilterID: params.ID, Filter: params})
}

// DeleteFilter keeps the call.
func (r *Recorder) DeleteFilter(id config.FilterID) { r.add(Call{Kind: DeleteFilter, FilterID: id}) }

// KeepAlive keeps the call.
func (r *Recorder) KeepAlive(comment string) { r.add(Call{Kind: KeepAlive, Comment: comment}) }
