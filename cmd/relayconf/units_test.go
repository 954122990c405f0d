package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// systemd kills a process at a system call that is filtered out, unless there is an error to return instead.
func TestUnitsLetTheirCommandsWork(t *testing.T) {
	for _, file := range []string{"relayconf-hub.service", "relayconf-watch.service"} {
		assert.Contains(t, readUnit(t, file), "\nSystemCallErrorNumber=EPERM\n", file)
	}
	_, after, found := strings.Cut(readUnit(t, "relayconf-watch.service"), "\nSystemCallFilter=~@privileged")
	require.True(t, found)
	assert.Contains(t, after, "\nSystemCallFilter=@chown\n", "later lines win: the output file keeps its group")
}

func readUnit(t *testing.T, file string) string {
	t.Helper()
	unit, err := os.ReadFile("../../contrib/systemd/" + file)
	require.NoError(t, err)
	return string(unit)
}
