package httpconfig

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"

	ntlm "github.com/launchdarkly/go-ntlm-proxy-auth"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/origin"
)

// maxNTLMBytes is how many bytes the proxy may send until the tunnel is open. Its first answer, which asks for
// authentication, may hold a page for people.
const maxNTLMBytes = 1 << 20

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// newNTLMDialer makes a dialer for tunnels through a proxy that asks for NTLM authentication, which belongs to a
// connection and not to a request.
//
// The library speaks NTLM but does not care for the connection: it leaves it open when something fails, reads for as
// long and as much as the proxy sends, and looks at no context after the dial. All of that is done here.
func newNTLMDialer(c config.ProxyConfig, l limits, tlsConfig *tls.Config) dialFunc {
	proxy := c.URL
	user, password := c.Credentials()
	dialProxy := newProxyDialer(proxy, l, tlsConfig)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, l.dial,
			&timeoutError{fmt.Sprintf("the NTLM proxy %s opened no tunnel within %v", proxy.Host, l.dial)})
		defer cancel()
		conn, err := dialProxy(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("connecting to the NTLM proxy %s: %w", proxy.Host, err)
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		err = negotiate(ctx, conn, network, addr, user, password, c.Domain)
		if !stop() {
			_ = conn.Close()
			return nil, context.Cause(ctx)
		}
		if err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("the NTLM proxy %s opened no tunnel (%w). Check PROXY_AUTH_USER, PROXY_AUTH_PASSWORD "+
				"and PROXY_AUTH_DOMAIN, and that the proxy takes NTLM", proxy.Host, err)
		}
		return conn, nil
	}
}

// newProxyDialer makes a dialer for connections to the proxy itself.
func newProxyDialer(proxy *url.URL, l limits, tlsConfig *tls.Config) func(context.Context) (net.Conn, error) {
	addr := net.JoinHostPort(proxy.Hostname(), origin.Port(proxy))
	if proxy.Scheme == "http" {
		return func(ctx context.Context) (net.Conn, error) { return l.newDialer().DialContext(ctx, "tcp", addr) }
	}
	dialer := &tls.Dialer{NetDialer: l.newDialer(), Config: tlsConfig.Clone()}
	return func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", addr) }
}

// negotiate asks the proxy for a tunnel to addr.
func negotiate(ctx context.Context, conn net.Conn, network, addr, user, password, domain string) (err error) {
	// The library trusts the offsets in the proxy's challenge, and panics on some that lie outside.
	defer func() {
		if recover() != nil {
			err = errors.New("its NTLM challenge is malformed")
		}
	}()
	limited := &limitedConn{Conn: conn, left: maxNTLMBytes}
	dial := func(context.Context, string, string) (net.Conn, error) { return limited, nil }
	_, err = ntlm.WrapDialContext(dial, "", user, password, domain)(ctx, network, addr)
	return err
}

// limitedConn is a connection from which only so much can be read.
type limitedConn struct {
	net.Conn
	left int
}

// Read implements io.Reader.
func (c *limitedConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, errors.New("its answer is too long")
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
