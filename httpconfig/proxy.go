package httpconfig

import (
	"net/http"
	"net/url"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/config"
)

// useProxy makes the transport go through the proxy of a valid configuration. It says in words how the transport now
// connects.
func useProxy(transport *http.Transport, c config.ProxyConfig, l limits, loggers ldlog.Loggers) string {
	if c.URL == nil {
		if c.User != "" {
			loggers.Warn("There is a user for the proxy (PROXY_AUTH_USER) but no proxy (PROXY_URL), so it is not used")
		}
		return "the standard proxy variables apply"
	}
	name := c.URL.Scheme + "://" + c.URL.Host
	if c.NTLMAuth {
		loggers.Infof("Connecting through the proxy %s with NTLM authentication", name)
		transport.Proxy = nil
		transport.DialContext = watched(newNTLMDialer(c, l, transport.TLSClientConfig))
		return "through the NTLM proxy " + name
	}
	loggers.Infof("Connecting through the proxy %s", name)
	transport.Proxy = http.ProxyURL(withCredentials(c))
	return "through the proxy " + name
}

// withCredentials returns the proxy's URL with the user name and password in it, from where package http takes them
// for basic authentication and for SOCKS.
func withCredentials(c config.ProxyConfig) *url.URL {
	u := *c.URL
	u.User = nil
	if user, password := c.Credentials(); user != "" {
		u.User = url.UserPassword(user, password)
	}
	return &u
}
