//go:build servers

package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
)

const (
	manyRelays       = 2000
	manyEnvironments = 10_000
)

// measure starts to collect the times between frames.
const measure = `
	window.frames = [];
	let last = performance.now();
	const frame = (now) => { frames.push(now - last); last = now; requestAnimationFrame(frame) };
	requestAnimationFrame(frame);
`

func TestLargeListsAreOnlyDrawnInPart(t *testing.T) {
	hub := newHub()
	relays := make([]Relay, manyRelays)
	for i := range relays {
		relays[i] = Relay{ID: fmt.Sprint(i), Name: fmt.Sprintf("relay-%04d", i), Sync: InSync, RoundTrip: 0.01, Address: "10.0.0.1:5000", Since: At(time.Now())}
	}
	hub.setRelays(relays...)
	var changes []autoconfig.Change
	for i := range manyEnvironments {
		more := ""
		if i%10 == 0 {
			more = expiring(fmt.Sprint(i), time.Now().Add(time.Duration(i+600)*time.Second))
		}
		changes = append(changes, environmentText(fmt.Sprintf("e%05d", i), fmt.Sprintf("env%05d", i), 1, more))
	}
	s := serve(t, hub, "127.0.0.1:0")
	s.Changes(true, changes)
	b := open(t, "about:blank")
	b.startTrace()
	started := time.Now()
	b.run(chromedp.Navigate(s.url()))
	b.live()
	t.Logf("complete after %s", time.Since(started).Round(time.Millisecond))
	b.do(measure)
	_, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	require.NoError(t, err)
	before, began := b.work(), time.Now()
	b.shows("#environments h2", "10,000")
	b.shows("#fleet h2", "2,000")
	b.shows("#log", "Many changes at once: 10000 added")

	// Every relay has another round trip at each poll, each environment changes once, and somebody searches.
	for round := range 20 {
		moved := append([]Relay(nil), relays...)
		for i := range moved {
			moved[i].RoundTrip = float64(round+1) / 1000
		}
		hub.setRelays(moved...)
		var some []autoconfig.Change
		for i := range manyEnvironments / 20 {
			n := round*manyEnvironments/20 + i
			some = append(some, environmentText(fmt.Sprintf("e%05d", n), fmt.Sprintf("env%05d", n), 2, ""))
		}
		s.Changes(false, some)
		b.search("environments", fmt.Sprintf("env0%02d", round*5))
		b.shows("#environments .pager", "of 100")
		b.becomes(fmt.Sprintf("parseFloat(document.querySelector('#fleet td.end').innerText) === %d", round+1))
	}
	t.Logf("the page's thread worked for %.0f ms of %s", 1000*(b.work()-before), time.Since(began).Round(time.Millisecond))
	assert.LessOrEqual(t, evaluate[int](b, "document.querySelectorAll('tbody tr').length"), 30, "rows in the document")
	assert.LessOrEqual(t, evaluate[int](b, "document.querySelectorAll('*').length"), 1000, "elements in the document")
	t.Logf("frames: %s", evaluate[string](b, `(() => { const f = frames.slice(1).sort((a, b) => a - b); const at = (q) => f[Math.floor(q * (f.length - 1))].toFixed(1);
		return f.length + ", median " + at(0.5) + " ms, p95 " + at(0.95) + " ms, p99 " + at(0.99) + " ms, longest " + at(1) + " ms" })()`))
	t.Logf("longest tasks of the page's thread, by their CPU time: %v", b.longestTasks(5))
}

// work returns the CPU time that the page's main thread has spent in tasks, in seconds.
func (b *tab) work() float64 {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
	require.NoError(b.t, err)
	for _, metric := range result.Metrics {
		if metric.Name == "TaskDuration" {
			return metric.Value
		}
	}
	require.Fail(b.t, "there is no metric TaskDuration")
	return 0
}
