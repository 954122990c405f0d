package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireDocumented checks that the page for operators explains every metric of relayconf's own.
func requireDocumented(t *testing.T, metrics string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/hub.md")
	require.NoError(t, err)
	own := regexp.MustCompile(`(?m)^# TYPE (relayconf_\w+) `).FindAllStringSubmatch(metrics, -1)
	require.NotEmpty(t, own)
	for _, match := range own {
		assert.Regexp(t, "`"+match[1]+"[`{]", string(page))
	}
}
