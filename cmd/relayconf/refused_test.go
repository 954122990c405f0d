package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWatchShowsTheReasonOfAHubThatRefusesIt(t *testing.T) {
	t.Parallel()
	noConfiguration := startHub(t, hubKey, "--stream-uri", "http://127.0.0.1:1")
	p := start(t, service(noConfiguration.url("relays")), "watch")
	p.says(&p.stderr, "503 Service Unavailable: this hub has no configuration yet")

	other := startHub(t, []string{"AUTO_CONFIG_KEY=rel-other"}, "--environments", inFile(t, "environments.yaml", hubFile))
	p = start(t, service(other.url("relays")), "watch")
	p.exit(exitPermanent)
	assert.Contains(t, p.stderr.String(), "401 Unauthorized: the key is not known to this hub")
	assert.NotContains(t, p.stderr.String(), testKey)
}
