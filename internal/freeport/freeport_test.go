package freeport

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPortIsOfOneTestUntilItEnds(t *testing.T) {
	var port int
	t.Run("meanwhile", func(t *testing.T) {
		port = Take(t)
		for range 2 { // a server that comes back
			listener, err := net.Listen("tcp", address(port))
			require.NoError(t, err)
			assert.Nil(t, claim(port), "while the server runs")
			require.NoError(t, listener.Close())
			assert.Nil(t, claim(port), "while it is away")
		}
	})
	again := claim(port)
	require.NotNil(t, again, "after the test")
	require.NoError(t, again.Close())
}

func TestAPortWhereSomebodyListensIsNotFree(t *testing.T) {
	port := Take(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	assert.Nil(t, claim(listener.Addr().(*net.TCPAddr).Port))
	assert.NotEqual(t, port, Take(t))
}
