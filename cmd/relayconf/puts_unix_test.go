//go:build !windows

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

// Each hook of a put finds the file as the whole put made it: also those whose turn comes in its middle.
func TestASecondPutIsInTheFileAsAWhole(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(manyEnvironments(3)...))
	file, seen := inFolder(t, "envs.json"), inFolder(t, "seen")
	start(t, service(server.URL), "watch", "--output-file", file, "--exec-settle", "0",
		"--exec", fmt.Sprintf("grep -c envKey %s >>%s", file, seen))
	hasRun := func(runs int) (counts string) {
		t.Helper()
		require.Eventually(t, func() bool {
			data, _ := os.ReadFile(seen)
			counts = string(data)
			return strings.Count(counts, "\n") >= runs
		}, soon, tick)
		return counts
	}
	assert.Equal(t, strings.Repeat("3\n", 4), hasRun(4))
	const n = 900
	server.Put(autoconfigtest.MakePut(manyEnvironments(n + 3)[3:]...)) // adds n, removes 3
	assert.Equal(t, strings.Repeat("3\n", 4)+strings.Repeat("900\n", 10), hasRun(14)[:len("3\n")*4+len("900\n")*10])
}
