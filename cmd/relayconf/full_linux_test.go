package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

// What can't be printed is no mistake in the command line.
func TestAnUnexpectedFailure(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer func() { _ = full.Close() }()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	for name, args := range map[string][]string{
		"version": {"version"}, "completion": {"completion", "bash"}, "watch, once": {"watch", "--once"},
	} {
		t.Run(name, func(t *testing.T) {
			p := prepare(t, service(server.URL), args...)
			p.cmd.Stdout = full
			p.run()
			p.exit(exitUnexpected)
			assert.Contains(t, p.stderr.String(), "no space left on device")
			assert.NotContains(t, p.stderr.String(), "for usage")
		})
	}
}

func TestAFullDiskDoesNotEndWatch(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer func() { _ = full.Close() }()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	path := inFolder(t, "envs.json")
	p := prepare(t, service(server.URL), "watch", "--output-file", path)
	p.cmd.Stdout = full
	p.run()
	p.says(&p.stderr, "ERROR: Could not print changes: ")
	server.Patch(autoconfigtest.MakeEnvironment(2, 1))
	requireOutput(t, path, 2)
	p.signal(syscall.SIGTERM)
	p.exit(exitOK)
	assert.Equal(t, 1, strings.Count(p.stderr.String(), "Could not print"), "it is said once")
	assert.Contains(t, p.stderr.String(), "WARN: 3 lines were not printed")
}
