//go:build servers

package page

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// chromium is Debian's browser. All tests share it.
var chromium context.Context

func TestMain(m *testing.M) {
	code := withChromium(m.Run)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// withChromium calls f while the browser runs.
func withChromium(f func() int) int {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), // apt-get install chromium
		chromedp.NoSandbox,                     // tests may run as root
		chromedp.WSURLReadTimeout(2*time.Minute))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	defer stopAllocator()
	var stop context.CancelFunc
	chromium, stop = chromedp.NewContext(allocator)
	defer stop()
	if err := chromedp.Do(chromium); err != nil {
		fmt.Fprintln(os.Stderr, "these tests need Debian's package chromium:", err)
		return 1
	}
	defer func() { _ = chromedp.Cancel(chromium) }()
	return f()
}

// tab is a page in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	trace    *trace   // nil if none is made
	problems []string // exceptions, and files or code that the policy forbids
}

// open opens a page in a tab of 1280 by 900 pixels. The test fails if a script throws, or breaks the page's policy.
func open(t *testing.T, url string) *tab {
	t.Helper()
	b := &tab{t: t}
	ctx, cancel := chromedp.NewContext(chromium, chromedp.WithListener(b.note))
	b.ctx = ctx
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		assert.Empty(t, b.problems)
	})
	require.NoError(t, chromedp.Do(ctx))
	b.run(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url))
	return b
}

// note notes exceptions and violations of the policy.
func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.trace != nil {
		b.trace.note(event)
	}
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprint(event.ExceptionDetails.Text, " ", event.ExceptionDetails.URL, ":", event.ExceptionDetails.LineNumber))
	case *cdplog.EventEntryAdded:
		if event.Entry.Source == cdplog.EntrySourceSecurity {
			b.problems = append(b.problems, event.Entry.Text)
		}
	}
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, soon)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
}

// evaluate returns the value of an expression.
func evaluate[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, soon)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(b.t, err, expression)
	return value
}

// becomes waits until an expression is true.
func (b *tab) becomes(expression string) {
	b.t.Helper()
	const pollInterval = 20 * time.Millisecond
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	deadline := time.Now().Add(soon)
	for ; !evaluate[bool](b, expression); <-poll.C {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s is still false; the page says:\n%s", expression, b.text("#app"))
		}
	}
}

// shows waits until an element shows a text.
func (b *tab) shows(selector, text string) {
	b.t.Helper()
	b.becomes(fmt.Sprintf("(document.querySelector(%q)?.innerText ?? '').includes(%q)", selector, text))
}

// text returns the visible text of an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return evaluate[string](b, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
}

// names returns the names of the rows of a list.
func (b *tab) names(list string) []string {
	b.t.Helper()
	return evaluate[[]string](b, fmt.Sprintf("[...document.querySelectorAll('#%s tbody .name')].map((e) => e.textContent.trim())", list))
}

// live waits until the page is connected and complete.
func (b *tab) live() {
	b.t.Helper()
	b.becomes("document.querySelector('#connection')?.textContent === 'Live'")
}

// click clicks on an element.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.CSS(selector)))
}

// do runs a statement.
func (b *tab) do(statement string) {
	b.t.Helper()
	evaluate[bool](b, "(() => { "+statement+"; return true })()")
}

// search types into the search field of a list.
func (b *tab) search(list, query string) {
	b.t.Helper()
	b.do(fmt.Sprintf("const field = document.querySelector('#%s input'); field.focus(); field.select()", list))
	b.press(kb.Delete, query)
}

// prefers sets a preference of the system, such as prefers-color-scheme.
func (b *tab) prefers(feature, value string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
	require.NoError(b.t, err)
}

// press presses keys, one after the other.
func (b *tab) press(keys ...string) { b.run(chromedp.KeyEvent(strings.Join(keys, ""))) }
