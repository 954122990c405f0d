package autoconfigtest

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/launchdarkly/eventsource"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline is for what is due at once, on a slow machine.
const deadline = time.Minute

const testKey = "rel-00000000-0000-4000-8000-000000000001"

// newRequest makes a request as a client of the service does. It ends with the test, at the latest.
func newRequest(t *testing.T, url, key string) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	if key != "" {
		request.Header.Set("Authorization", key)
	}
	return request
}

// get sends a request.
func get(t *testing.T, client *http.Client, url, key string) *http.Response {
	t.Helper()
	response, err := client.Do(newRequest(t, url, key))
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// newClient returns a client that leaves nothing behind.
func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// connection reads one stream as text.
type connection struct {
	t      *testing.T
	body   io.ReadCloser
	reader *bufio.Reader
}

// connect opens a stream.
func connect(t *testing.T, url string) *connection {
	t.Helper()
	response := get(t, newClient(t), url+"/relay_auto_config", testKey)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, response.Header.Get("Content-Type"), "text/event-stream")
	return newConnection(t, response)
}

func newConnection(t *testing.T, response *http.Response) *connection {
	return &connection{t: t, body: response.Body, reader: bufio.NewReader(response.Body)}
}

// text reads as many bytes as want has, and compares.
func (c *connection) text(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.reader, got)
	require.Equal(c.t, want, string(got[:n]))
	require.NoError(c.t, err)
}

// event reads up to the next blank line, with eventsource's decoder.
func (c *connection) event() eventsource.Event {
	c.t.Helper()
	var text strings.Builder
	for !strings.HasSuffix(text.String(), "\n\n") {
		line, err := c.reader.ReadString('\n')
		require.NoError(c.t, err, "after %q", text.String())
		text.WriteString(line)
	}
	return decodeAll(c.t, text.String())[0]
}

// end reads until the stream ends, and returns what came and how it ended.
func (c *connection) end() (string, error) {
	text, err := io.ReadAll(c.reader)
	return string(text), err
}

func (c *connection) close() { _ = c.body.Close() }

// decodeAll returns the events of a text.
func decodeAll(t *testing.T, text string) []eventsource.Event {
	t.Helper()
	decoder := eventsource.NewDecoder(strings.NewReader(text))
	var events []eventsource.Event
	for {
		e, err := decoder.Decode()
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return events
		}
		events = append(events, e)
	}
}
