package fleet

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestRefusalsAreLoggedOnceForEachRelayAndReason(t *testing.T) {
	var log bytes.Buffer
	r := newRefusals(slog.New(slog.NewTextHandler(&log, nil)))
	begin := time.Now()
	lines := func() int { return strings.Count(log.String(), "level=WARN") }
	refused := func(after time.Duration, relay string, code codes.Code) {
		r.add(begin.Add(after), relay, "eu", "10.0.0.1:5000", status.Error(code, "a reason"))
	}
	refused(0, "a", codes.AlreadyExists)
	refused(time.Minute, "a", codes.AlreadyExists)
	assert.Equal(t, 1, lines(), log.String())
	assert.Contains(t, log.String(), `relay=a address=10.0.0.1:5000 reason="a reason" key=eu`)
	refused(time.Minute, "a", codes.PermissionDenied)
	refused(time.Minute, "b", codes.AlreadyExists)
	assert.Equal(t, 3, lines(), "another reason, another relay")
	refused(refusalPeriod, "a", codes.AlreadyExists)
	assert.Equal(t, 4, lines(), "it still goes on")
	r.joined("a")
	refused(refusalPeriod, "a", codes.AlreadyExists)
	assert.Equal(t, 5, lines(), "it goes on again")
	for _, passes := range []codes.Code{codes.Canceled, codes.DeadlineExceeded, codes.Unavailable, codes.Internal} {
		refused(refusalPeriod, "c", passes)
	}
	assert.Equal(t, 5, lines(), "the relay comes back by itself")
}

func TestTheLogOfRefusalsIsBounded(t *testing.T) {
	var log bytes.Buffer
	r := newRefusals(slog.New(slog.NewTextHandler(&log, nil)))
	begin := time.Now()
	for i := range 1000 {
		r.add(begin, fmt.Sprint("relay-", i), "", "10.0.0.1:5000", status.Error(codes.PermissionDenied, "a reason"))
	}
	assert.Equal(t, refusalBurst, strings.Count(log.String(), "level=WARN"))
	assert.Len(t, r.logged, refusalBurst)
	r.add(begin.Add(refusalPause), "relay-999", "", "10.0.0.1:5000", status.Error(codes.PermissionDenied, "a reason"))
	assert.Contains(t, log.String(), fmt.Sprintf(`"refusals that were not logged"=%d`, 1000-refusalBurst))
}

// logText is a log that several goroutines write.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestAHubLogsTheLinksThatItRefuses(t *testing.T) {
	log := &logText{}
	r := newRig(t, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	r.has(map[string]int{"web-1": 1})
	r.relay("a")
	r.inSync("a")
	for range 2 {
		_, stream, _ := r.join("a", "another-process-00")
		_, err := stream.Recv()
		require.Equal(t, codes.AlreadyExists, status.Code(err))
	}
	assert.Equal(t, 1, strings.Count(log.String(), "refused"), log)
	assert.Regexp(t, `level=WARN msg="The link of a relay was refused" relay=a address=127\.0\.0\.1:\d+ reason=".*" key=hub`, log.String())
	const unknown = "rel-00000000-0000-4000-8000-0000000000ff"
	for range 2 {
		_, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+"/link",
			http.Header{"Authorization": {unknown}})
		require.Error(t, err)
		require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	}
	assert.Equal(t, 2, strings.Count(log.String(), "refused"), log)
	assert.Regexp(t, `relay=127\.0\.0\.1 address=127\.0\.0\.1:\d+ reason="the key is not known to this hub"`, log.String())
	assert.NotContains(t, log.String(), unknown)
	assert.NotContains(t, log.String(), testKey)
}
