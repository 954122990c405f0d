//go:build linux && servers

package between

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

// port is the last one that FreeAddress gave out.
var port atomic.Int64

func init() { port.Store(20_000 + rand.Int64N(10_000)) }

// FreeAddress returns an address for a program that can't listen at any port and say which. The ports are below those that
// Linux gives to who asks for any, so that no other test gets one before the program listens, or while it is restarted.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", port.Add(1))
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
	tb.Fatal("no port is free")
	return ""
}
