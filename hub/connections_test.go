package hub_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTenThousandConnectionsLeaveNothing opens and ends connections in every way, and then counts.
func TestTenThousandConnectionsLeaveNothing(t *testing.T) {
	connections, clients := 10_000, 20
	if testing.Short() {
		connections = 1000
	}
	s := newServer(t, largeConfiguration(100<<10))
	var last string
	visit := func(random *rand.Rand) {
		conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if random.IntN(4) == 0 {
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset
		}
		request := fmt.Sprintf("GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAuthorization: %s\r\n", testKey)
		if random.IntN(2) == 0 {
			request += "Accept-Encoding: gzip\r\n"
		}
		if random.IntN(2) == 0 {
			request += "Last-Event-ID: " + last + "\r\n"
		}
		request += "\r\n"
		switch random.IntN(4) {
		case 0:
			request = request[:random.IntN(len(request))] // it leaves before the request is whole
		case 1:
			request = strings.Replace(request, testKey, "rel-unknown", 1)
		}
		if _, err := io.WriteString(conn, request); err != nil || random.IntN(4) == 0 {
			return // it leaves before the response
		}
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.CopyN(io.Discard, conn, int64(random.IntN(50_000)))
	}
	last = id(s.open(t, request{}).next())
	visitAll := func(n int) {
		var group sync.WaitGroup
		for i := range clients {
			group.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), uint64(n)))
				for range n / clients {
					visit(random)
				}
			})
		}
		group.Wait()
		eventually(t, func() bool { return len(s.Relays()) == 1 })
	}
	visitAll(500)
	goroutines, files, memory := runtime.NumGoroutine(), descriptors(t), heap()
	visitAll(connections)
	eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+clients })
	eventually(t, func() bool { return descriptors(t) <= files+clients })
	eventually(t, func() bool { return heap() < memory+4<<20 })
}

func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if os.IsNotExist(err) {
		return 0 // no system that shows them
	}
	require.NoError(t, err)
	return len(entries)
}
