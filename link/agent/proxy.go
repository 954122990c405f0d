package agent

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/gorilla/websocket"
)

// useProxy makes a dialer go through the proxy that a transport would take to a URL. The dialer itself knows proxies of the
// schemes http and socks5 only.
func useProxy(dialer *websocket.Dialer, transport *http.Transport, target string) error {
	if transport.Proxy == nil {
		return nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	u.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	proxy, err := transport.Proxy(&http.Request{Method: http.MethodGet, URL: u})
	if err != nil || proxy == nil {
		return err
	}
	known := *proxy
	switch proxy.Scheme {
	case "socks5h": // names are resolved by the proxy with socks5, too
		known.Scheme = "socks5"
	case "https":
		known.Scheme, known.Host = "http", net.JoinHostPort(proxy.Hostname(), cmp.Or(proxy.Port(), "443"))
		dialer.NetDialContext = overTLS(dialer.NetDialContext, transport.TLSClientConfig, proxy.Hostname())
	}
	dialer.Proxy = http.ProxyURL(&known)
	return nil
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// overTLS makes a function that dials a server over TLS.
func overTLS(dial dialFunc, config *tls.Config, server string) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		settings := &tls.Config{}
		if config != nil {
			settings = config.Clone()
		}
		settings.ServerName = server
		encrypted := tls.Client(conn, settings)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("the proxy's certificate: %w", err)
		}
		return encrypted, nil
	}
}
