package httpconfig

import (
	"context"
	"net"
	"time"
)

// limits are the timeouts of a client, which tests make shorter. None of them limits how long a response may last.
type limits struct {
	dial           time.Duration // look up the name and connect, and with NTLM: until the proxy has opened the tunnel
	tlsHandshake   time.Duration // each one: with an https proxy there are two
	responseHeader time.Duration // from the request sent to the end of the response's header
	headerBytes    int64         // the size of the response's header
	attempt        time.Duration // all of the above together, and a SOCKS or CONNECT proxy, which none of them covers
	pingAfter      time.Duration // HTTP/2: silence after which a ping is sent
	pingTimeout    time.Duration // HTTP/2: the longest wait for a ping's answer, and for a write to make progress
}

// defaultLimits suits a line across the world and through a slow proxy: five times the usual delays there. A dead HTTP/2
// line is found 45 s after its last byte, well before the 5 minutes for which a stream may be silent. TCP finds a dead
// HTTP/1.1 line in about 90 s: see keepAlive.
var defaultLimits = limits{
	dial:           15 * time.Second,
	tlsHandshake:   15 * time.Second,
	responseHeader: 30 * time.Second,
	headerBytes:    64 << 10,
	attempt:        time.Minute,
	pingAfter:      30 * time.Second,
	pingTimeout:    15 * time.Second,
}

// keepAlive also keeps the stream in the tables of NAT routers and firewalls, many of which forget a silent line after
// a few minutes. Linux, macOS and Windows 10 follow it; elsewhere the system's defaults may apply.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4}

// newDialer makes the dialer for TCP.
func (l limits) newDialer() *net.Dialer {
	return &net.Dialer{Timeout: l.dial, KeepAliveConfig: keepAlive}
}

// timeoutError says which limit was exceeded.
type timeoutError struct{ text string }

func (e *timeoutError) Error() string { return e.text }

// Timeout implements net.Error, so that url.Error reports a timeout.
func (e *timeoutError) Timeout() bool { return true }

// Temporary implements net.Error.
func (e *timeoutError) Temporary() bool { return true }

// Is makes the error match context.DeadlineExceeded.
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
