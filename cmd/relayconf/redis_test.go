package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// redisPassword is in the URL of each server here, so that the tests can see that it is in no output.
const redisPassword = "hunter2-hunter2"

// startRedis starts a real Redis server, from Debian's package redis-server, and returns its URL. Where it is not
// installed the test is skipped, unless CI is set.
func startRedis(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("there is no redis-server here: apt-get install redis-server")
	}
	require.NoError(t, err, "this test needs a real Redis server: apt-get install redis-server")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().(*net.TCPAddr)
	require.NoError(t, listener.Close())
	var output text
	server := exec.Command(binary, "--port", fmt.Sprint(addr.Port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
		"--requirepass", redisPassword)
	server.Stdout, server.Stderr = &output, &output
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", addr.String())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, soon, 5*time.Millisecond, "the Redis server does not listen: %s", &output)
	return fmt.Sprintf("redis://:%s@%s/0", redisPassword, addr)
}
