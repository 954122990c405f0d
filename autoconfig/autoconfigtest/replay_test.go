package autoconfigtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve plays a recording on loopback until the test ends.
func serve(t *testing.T, text string, options ReplayOptions) (*Replay, string) {
	t.Helper()
	replay := parse(t, text).Handler(options)
	server := httptest.NewServer(replay)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return replay, server.URL
}

func isPlayed(p *Replay) bool {
	select {
	case <-p.Played():
		return true
	default:
		return false
	}
}

func waitPlayed(t *testing.T, p *Replay) {
	t.Helper()
	select {
	case <-p.Played():
	case <-time.After(deadline):
		t.Fatal("the recording was not played to its end")
	}
}

const reconnectEvent = "event: reconnect\ndata: \" \"\n\n"

func TestReplaySendsTheBytesAsRecorded(t *testing.T) {
	text := ": hi\r\n\r\nevent:put\r\ndata:{}\r\r\n:\n\n\nid: \x00\ndata\n\n"
	p, url := serve(t, text, ReplayOptions{})
	connect(t, url).text(text)
	waitPlayed(t, p)
}

func TestReplayObeysDirectivesAndSendsThemNot(t *testing.T) {
	_, url := serve(t, ":!recorded 2026-11-20T12:00:00Z\n:!!a\n:!pause 1ms\ndata: b\n:!pause 1ms\n\n:!drop\n", ReplayOptions{})
	text, err := connect(t, url).end()
	require.NoError(t, err)
	assert.Equal(t, ":!a\ndata: b\n\n", text)
}

func TestReplayGoesOnAfterADropWithTheNextConnection(t *testing.T) {
	p, url := serve(t, "data: 1\n\n:!drop\ndata: 2\n\n:!drop\n:!drop\ndata: 3\n\n", ReplayOptions{})
	for _, want := range []string{"data: 1\n\n", "data: 2\n\n", ""} {
		text, err := connect(t, url).end()
		require.NoError(t, err)
		assert.Equal(t, want, text)
		assert.False(t, isPlayed(p))
	}
	connect(t, url).text("data: 3\n\n")
	waitPlayed(t, p)
	assert.Equal(t, 4, p.Connections())
}

func TestReplayCutsTheLineOnADropWithinAnEvent(t *testing.T) {
	_, url := serve(t, "data: 1\n\nevent: put\ndata: {\n:!drop\ndata: 2\n\n", ReplayOptions{})
	text, err := connect(t, url).end()
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, "data: 1\n\nevent: put\ndata: {\n", text)
	connect(t, url).text("data: 2\n\n")
}

func TestReplayAnswersTheRequestAfterAStatus(t *testing.T) {
	p, url := serve(t, ":!status 503\ndata: 1\n\n:!status 401\n:!status 204\n:!drop\n", ReplayOptions{})
	status := func() int {
		return get(t, newClient(t), url+"/relay_auto_config", testKey).StatusCode
	}
	assert.Equal(t, 503, status())
	text, err := connect(t, url).end()
	require.NoError(t, err)
	assert.Equal(t, "data: 1\n\n", text)
	assert.Equal(t, 401, status())
	assert.Equal(t, 204, status())
	assert.False(t, isPlayed(p), "the connection that is dropped at once is left")
	_, err = connect(t, url).end()
	require.NoError(t, err)
	waitPlayed(t, p)
	assert.Equal(t, 2, p.Connections(), "an answer that is no stream is no connection")
}

func TestReplayMovesOnAfterAReconnectEventAndLeavesTheConnectionOpen(t *testing.T) {
	p, url := serve(t, "data: 1\n\n"+reconnectEvent+"event: put\r\ndata: 2\r\n\r\nevent: reconnect\n\ndata: 3\n\n",
		ReplayOptions{KeepAlive: time.Millisecond})
	first := connect(t, url)
	first.text("data: 1\n\n" + reconnectEvent)
	first.text(":\n:\n")
	assert.False(t, isPlayed(p))
	// A reconnect without data is no event.
	connect(t, url).text("event: put\r\ndata: 2\r\n\r\nevent: reconnect\n\ndata: 3\n\n:\n")
	waitPlayed(t, p)
	first.text(":\n")
}

// flushWriter calls back at each flush, with what came so far.
type flushWriter struct {
	*httptest.ResponseRecorder
	flushed func(text string)
}

func (w flushWriter) Flush() { w.flushed(w.Body.String()) }

func TestReplayHasMovedOnWhenAClientKnowsThatItsSegmentIsOver(t *testing.T) {
	for name, text := range map[string]string{
		"reconnect": ": 1\n" + reconnectEvent + ": 2\n:!drop\n",
		"drop":      ": 1\n: last\n:!drop\n: 2\n:!drop\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, text).Handler(ReplayOptions{})
			var next string
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			w := flushWriter{httptest.NewRecorder(), func(text string) {
				if len(text) > len(": 1\n") {
					next = play(ctx, p).Body.String()
					cancel()
				}
			}}
			p.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/relay_auto_config", nil))
			assert.Equal(t, ": 2\n", next)
		})
	}
}

func TestReplayRepeatsASegmentForAClientThatLeftInItsMiddle(t *testing.T) {
	_, url := serve(t, "data: 1\n\n:!pause 1h\ndata: 2\n\n", ReplayOptions{})
	for range 2 {
		c := connect(t, url)
		c.text("data: 1\n\n")
		c.close()
	}
}

func TestReplayHoldsAndRepeatsTheLastSegment(t *testing.T) {
	p, url := serve(t, "data: 1\n\n:!drop\ndata: 2\n\n", ReplayOptions{KeepAlive: time.Millisecond})
	_, _ = connect(t, url).end()
	for range 3 {
		c := connect(t, url)
		c.text("data: 2\n\n:\n:\n")
		c.close()
		waitPlayed(t, p)
	}
}

func TestReplayStartsOverWithLoop(t *testing.T) {
	tests := map[string]string{
		"at the end of the recording": "data: 1\n\n:!drop\ndata: 2\n\n",
		"after a drop":                "data: 1\n\n:!drop\ndata: 2\n\n:!drop\n",
		"after a cut-off event":       "data: 1\n\n:!drop\ndata: 2\n\ndata",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			p, url := serve(t, text, ReplayOptions{Loop: true})
			for range 3 {
				first, err := connect(t, url).end()
				require.NoError(t, err)
				assert.Equal(t, "data: 1\n\n", first)
				second, _ := connect(t, url).end()
				assert.Contains(t, second, "data: 2\n\n")
				waitPlayed(t, p)
			}
		})
	}
}

func TestReplayHasOnlyKeepalivesLeftAfterARecordingThatEndsItsConnection(t *testing.T) {
	tests := map[string]struct {
		text, want string
		err        error
		stays      bool
	}{
		"in a cut-off event":         {text: "data: 1\n\nevent: put\ndata: {\"pa", want: "data: 1\n\nevent: put\ndata: {\"pa", err: io.ErrUnexpectedEOF},
		"before an event's last end": {text: "data: 1\n", want: "data: 1\n", err: io.ErrUnexpectedEOF},
		"in a comment":               {text: "data: 1\n\n: he", want: "data: 1\n\n: he", err: io.ErrUnexpectedEOF},
		"with a drop":                {text: "data: 1\n\n:!drop\n", want: "data: 1\n\n"},
		"with a reconnect":           {text: reconnectEvent, want: reconnectEvent, stays: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, url := serve(t, test.text, ReplayOptions{KeepAlive: time.Millisecond})
			c := connect(t, url)
			if test.stays {
				c.text(test.want)
			} else {
				text, err := c.end()
				assert.Equal(t, test.want, text)
				assert.ErrorIs(t, err, test.err)
			}
			waitPlayed(t, p)
			connect(t, url).text(":\n:\n")
		})
	}
	t.Run("with nothing", func(t *testing.T) {
		for _, loop := range []bool{false, true} {
			p, url := serve(t, ":!recorded 2026-11-20T12:00:00Z\n", ReplayOptions{KeepAlive: time.Millisecond, Loop: loop})
			waitPlayed(t, p)
			connect(t, url).text(":\n:\n")
		}
	})
}

func TestReplayPlaysTheCapturedStream(t *testing.T) {
	captured, err := os.ReadFile("../../testdata/captured.sse")
	require.NoError(t, err)
	p, url := serve(t, string(captured), ReplayOptions{})
	untilReconnect := strings.Index(string(captured), reconnectEvent) + len(reconnectEvent)
	connect(t, url).text(string(captured[:untilReconnect]))
	rest, err := connect(t, url).end()
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, string(captured[untilReconnect:]), rest)
	waitPlayed(t, p)
}

func TestReplayAcceptsOnlyItsKeyAndItsPath(t *testing.T) {
	p, url := serve(t, "data: 1\n\n", ReplayOptions{Key: testKey})
	assert.Equal(t, 401, get(t, newClient(t), url+"/relay_auto_config", "rel-other").StatusCode)
	assert.Equal(t, 401, get(t, newClient(t), url+"/relay_auto_config", "").StatusCode)
	assert.Equal(t, 404, get(t, newClient(t), url+"/all", testKey).StatusCode)
	response, err := newClient(t).Post(url+"/relay_auto_config", "text/plain", nil)
	require.NoError(t, err)
	_ = response.Body.Close()
	assert.Equal(t, 405, response.StatusCode)
	assert.Zero(t, p.Connections())
	connect(t, url+"/base").text("data: 1\n\n")
}
