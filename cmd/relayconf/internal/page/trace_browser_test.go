//go:build servers

package page

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// trace collects the tasks of a page's thread with the CPU time of each, which says the same on a busy machine.
type trace struct {
	events []traceEvent
	ended  chan struct{}
}

// traceEvent is an event of the Trace Event Format.
type traceEvent struct {
	Name         string
	Pid, Tid     int
	ThreadTimeUS float64 `json:"tdur"`
	Args         struct{ Name string }
}

// startTrace begins to collect the tasks of all pages.
func (b *tab) startTrace() {
	b.t.Helper()
	b.mu.Lock()
	b.trace = &trace{ended: make(chan struct{})}
	b.mu.Unlock()
	_, err := chromedp.Call(b.ctx, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{
		IncludedCategories: []string{"toplevel"}, ExcludedCategories: []string{"*"}}})
	require.NoError(b.t, err)
}

// task is the name of a task's event.
const task = "ThreadControllerImpl::RunTask"

// note takes an event of the browser.
func (x *trace) note(event any) {
	switch event := event.(type) {
	case *tracing.EventDataCollected:
		for _, value := range event.Value {
			var e traceEvent
			wanted := bytes.Contains(value, []byte(task)) || bytes.Contains(value, []byte("thread_name"))
			if wanted && json.Unmarshal(value, &e) == nil {
				x.events = append(x.events, e)
			}
		}
	case *tracing.EventTracingComplete:
		close(x.ended)
	}
}

// longestTasks ends the trace, and returns the longest tasks since its start.
func (b *tab) longestTasks(count int) (longest []time.Duration) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, tracing.End, cdp.Empty{})
	require.NoError(b.t, err)
	select {
	case <-b.trace.ended:
	case <-time.After(soon):
		require.FailNow(b.t, "the trace does not end")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	type thread struct{ pid, tid int }
	pages := map[thread]bool{}
	for _, e := range b.trace.events {
		if e.Name == "thread_name" && e.Args.Name == "CrRendererMain" {
			pages[thread{e.Pid, e.Tid}] = true
		}
	}
	for _, e := range b.trace.events {
		if e.Name == task && pages[thread{e.Pid, e.Tid}] {
			longest = append(longest, time.Duration(e.ThreadTimeUS*1000).Round(time.Millisecond))
		}
	}
	slices.Sort(longest)
	slices.Reverse(longest)
	return longest[:min(count, len(longest))]
}
