//go:build !windows

package main

import (
	"bufio"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pageEvents reads the events of the page until one has a text, and returns the lines that it has read.
func pageEvents(t *testing.T, lines *bufio.Scanner, text string) string {
	t.Helper()
	var read strings.Builder
	for lines.Scan() {
		read.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), text) {
			return read.String()
		}
	}
	require.Failf(t, "the stream has ended", "without %q: %v\n%s", text, lines.Err(), read.String())
	return ""
}

func TestThePageIsToldOfTheSourceTheRelaysAndEveryChange(t *testing.T) {
	t.Parallel()
	path := inFile(t, "environments.yaml", hubFile)
	h := startHub(t, hubKey, "--environments", path)
	h.serves()
	startRelay(t, h.url("relays"), testKey).has(t, "web/production", "shop/production")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url("admin")+"/page/events", nil)
	require.NoError(t, err)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	read := pageEvents(t, lines, "event: ready")
	assert.Contains(t, read, `"sdkKey":"…0001"`)
	assert.NotContains(t, read, "sdk-0")
	read += pageEvents(t, lines, `"now"`) // of ready
	if !strings.Contains(read, `"sync":"sent"`) {
		pageEvents(t, lines, `"sync":"sent"`)
	}
	start(t, []string{"AUTO_CONFIG_KEY=" + testKey, "STREAM_URI=" + h.url("relays")}, "watch", "--link", "ws"+strings.TrimPrefix(h.url("relays"), "http")+"/link", "--name", "eu-1")
	pageEvents(t, lines, `"name":"eu-1","sync":"in-sync"`)
	replaceFile(t, path, hubFile+thirdEnvironment)
	pageEvents(t, lines, `"subject":"web/test","text":"environment added"`)
	replaceFile(t, path, hubFile+"  - oops\n")
	pageEvents(t, lines, `"condition":"stale"`)
	h.signal(syscall.SIGTERM)
	for lines.Scan() { // until the hub ends the stream
	}
	assert.NoError(t, lines.Err(), "the stream ends in order")
}
