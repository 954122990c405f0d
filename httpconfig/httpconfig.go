// Package httpconfig makes the HTTP client that connects to the service: through a proxy if need be, with the
// certificate authorities that an organization adds, and with limits that suit a stream that lasts for months.
package httpconfig

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/credential"
)

// HTTPConfig is the HTTP configuration of one credential. The zero value has no credential, and connects directly or
// as the standard proxy variables say. It prints without secrets.
type HTTPConfig struct {
	client      *http.Client
	description string // for people; holds no secrets
}

// NewHTTPConfig checks the proxy configuration and makes an HTTPConfig from it. It connects to nothing, but reads the
// files in proxyConfig.CACertFiles.
//
// Requests that have no Authorization header get the one of authKey, which may be nil. A redirect to another scheme,
// host or port is followed without any. Requests that have no User-Agent header get userAgent, unless that is empty.
//
// The problems of proxyConfig are reported all at once, as config.SettingErrors, joined. No error holds a secret.
func NewHTTPConfig(proxyConfig config.ProxyConfig, authKey config.SDKCredential, userAgent string,
	loggers ldlog.Loggers) (HTTPConfig, error) {
	return newHTTPConfig(proxyConfig, authKey, userAgent, loggers, defaultLimits)
}

func newHTTPConfig(proxyConfig config.ProxyConfig, authKey config.SDKCredential, userAgent string,
	loggers ldlog.Loggers, limits limits) (HTTPConfig, error) {
	tlsConfig, err := newTLSConfig(proxyConfig.CACertFiles)
	if err = errors.Join(proxyConfig.Validate(), err, checkHeaders(authKey, userAgent)); err != nil {
		return HTTPConfig{}, err
	}
	transport := newTransport(limits, tlsConfig)
	via := useProxy(transport, proxyConfig, limits, loggers)
	if files := proxyConfig.CACertFiles; len(files) > 0 {
		loggers.Infof("Trusting the certificate authorities in %s too", strings.Join(files, ", "))
	}
	return HTTPConfig{
		client:      newClient(transport, authKey, userAgent, limits),
		description: fmt.Sprintf("HTTPConfig(%s, user agent %q)", via, userAgent),
	}, nil
}

// Client returns the HTTP client, which is the same each time. It is fit for streams: there is no limit on how long a
// response may last, but there are limits on how long it takes to begin. End a request by cancelling its context or
// closing the body of its response; nothing is left behind then. At most 10 redirects are followed, and none from
// https to http.
func (c HTTPConfig) Client() *http.Client {
	if c.client == nil {
		return defaultClient()
	}
	return c.client
}

// Transport returns a copy of the transport below the client, for other protocols that begin as HTTP, such as WebSockets:
// it has the proxy, the certificate authorities and the limits for dialling, and neither the credential nor the user agent.
func (c HTTPConfig) Transport() *http.Transport {
	return c.Client().Transport.(*roundTripper).next.Clone()
}

// defaultClient is the client of the zero HTTPConfig.
var defaultClient = sync.OnceValue(func() *http.Client {
	transport := newTransport(defaultLimits, newDefaultTLSConfig())
	return newClient(transport, nil, "", defaultLimits)
})

// String describes the configuration without secrets.
func (c HTTPConfig) String() string {
	if c.description == "" {
		return "HTTPConfig(default)"
	}
	return c.description
}

// Format prints String with every verb: package fmt would otherwise look into the fields.
func (c HTTPConfig) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// GoString returns the same as String.
func (c HTTPConfig) GoString() string { return c.String() }

// checkHeaders finds header values that can't be sent, before each request does. The errors don't repeat them: the key
// is a secret. A credential without a value is none.
func checkHeaders(authKey config.SDKCredential, userAgent string) error {
	var errs []error
	if authKey != nil {
		if err := credential.Check(authKey.GetAuthorizationHeaderValue()); err != nil && !errors.Is(err, credential.ErrEmpty) {
			errs = append(errs, fmt.Errorf("the key %w", err))
		}
	}
	if !isHeaderValue(userAgent) {
		errs = append(errs, errors.New("the user agent holds a line break or another control character; remove it"))
	}
	return errors.Join(errs...)
}

func isHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return (r < ' ' && r != '\t') || r == '\x7f' })
}
