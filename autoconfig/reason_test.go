package autoconfig_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

func gzipOf(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func TestTheReasonOfAnErrorResponseIsInTheLastError(t *testing.T) {
	const status = "the service answered with HTTP status 503 Service Unavailable"
	for _, row := range []struct{ name, contentType, encoding, body, want string }{
		{"text", "text/plain; charset=utf-8", "", "this hub is shutting down\n", status + ": this hub is shutting down"},
		{"JSON", "application/json", "", `{"message":"busy"}`, status + `: {"message":"busy"}`},
		{"compressed", "text/plain", "gzip", gzipOf("this hub is shutting down"), status + ": this hub is shutting down"},
		{"the key", "text/plain", "", "no " + string(key), status + ": no …0001"},
		{"a page", "text/html", "", "<html>", status},
		{"another encoding", "text/plain", "br", "xxxx", status},
		{"nothing but the status", "text/plain", "", "Service unavailable\n", status},
		{"nothing", "", "", "", status},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", row.contentType)
				if row.encoding != "" {
					w.Header().Set("Content-Encoding", row.encoding)
				}
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = io.WriteString(w, row.body)
			}))
			t.Cleanup(server.Close)
			m, _ := follow(t, server.URL, config.ProxyConfig{})
			require.Eventually(t, func() bool { return m.Status().LastError != nil }, deadline, time.Millisecond)
			assert.Equal(t, row.want, m.Status().LastError.Message)
		})
	}
}

func TestAReasonThatDoesNotEndIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "one\ntwo")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	m, _ := follow(t, server.URL, config.ProxyConfig{})
	require.Eventually(t, func() bool { return m.Status().LastError != nil }, deadline, time.Millisecond)
	assert.Contains(t, m.Status().LastError.Message, ": one")
}
