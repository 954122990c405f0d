// Package freeport gives tests ports to listen at, for servers that can't listen at any port and say which, or that are killed
// and come back.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// The ports are below those that Linux gives to who asks for any, so that no client gets one while its server is away.
const first, last = 10_000, 32_000

// Take returns a port of 127.0.0.1 that is free until the test ends, but for its own servers: other tests, in other processes
// too, get other ones.
func Take(tb testing.TB) int {
	tb.Helper()
	const attempts = 1000
	for range attempts {
		port := first + rand.IntN(last-first)
		if claim := claim(port); claim != nil {
			tb.Cleanup(func() { _ = claim.Close() })
			return port
		}
	}
	tb.Fatal("no port is free")
	return 0
}

// Address is Take for the whole address, such as 127.0.0.1:12345.
func Address(tb testing.TB) string {
	tb.Helper()
	return address(Take(tb))
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// claim claims a port by the UDP port of the same number, which leaves the one of TCP to servers. It returns nil if somebody
// has either.
func claim(port int) net.PacketConn {
	claim, err := net.ListenPacket("udp", address(port))
	if err != nil {
		return nil
	}
	listener, err := net.Listen("tcp", address(port))
	if err != nil {
		_ = claim.Close()
		return nil
	}
	_ = listener.Close()
	return claim
}
