package httpconfig

import (
	"crypto/tls"
	"net/http"

	"github.com/relayconf/relayconf/config"
)

// newTransport makes a transport that connects directly or as the standard proxy variables say.
func newTransport(l limits, tlsConfig *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            watched(l.newDialer().DialContext),
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    l.tlsHandshake,
		ResponseHeaderTimeout:  l.responseHeader,
		MaxResponseHeaderBytes: l.headerBytes,

		// A compressed stream would hold events back until the compressor has a block full.
		DisableCompression: true,

		// One stream is one connection. A reconnect never reuses the HTTP/2 connection whose death is the reason for
		// it, and no connection is left idle, with its goroutines, when a stream ends. Streams are too long for the
		// handshakes saved to matter.
		DisableKeepAlives: true,

		// A transport with its own dialer or TLS configuration speaks HTTP/2 only when told to.
		ForceAttemptHTTP2: true,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:  l.pingAfter,
			PingTimeout:      l.pingTimeout,
			WriteByteTimeout: l.pingTimeout,
		},
	}
}

// newClient makes a client that follows redirects by the rules of this package.
func newClient(transport *http.Transport, authKey config.SDKCredential, userAgent string, l limits) *http.Client {
	rt := &roundTripper{next: transport, userAgent: userAgent, limit: l.attempt}
	if authKey != nil {
		rt.authorization = authKey.GetAuthorizationHeaderValue
	}
	return &http.Client{Transport: rt, CheckRedirect: checkRedirect}
}
