package httpconfig

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

var discardLog = log.New(io.Discard, "", 0)

func TestZeroHTTPConfigWorks(t *testing.T) {
	var authorization []string
	server := newServer(t, func(_ http.ResponseWriter, r *http.Request) { authorization = r.Header.Values("Authorization") })
	var c HTTPConfig
	resp, err := get(t, c.Client(), server.URL)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Empty(t, authorization)
	assert.Same(t, c.Client(), HTTPConfig{}.Client())
}

func TestClientIsTheSameEachTime(t *testing.T) {
	c := newConfig(t, config.ProxyConfig{})
	assert.Same(t, c.Client(), c.Client())
	assert.NotSame(t, c.Client(), newConfig(t, config.ProxyConfig{}).Client())
}

func TestClientHasNoOverallTimeout(t *testing.T) {
	assert.Zero(t, newConfig(t, config.ProxyConfig{}).Client().Timeout)
	assert.Zero(t, HTTPConfig{}.Client().Timeout)
}

func TestBadProxyConfigNamesTheSetting(t *testing.T) {
	noCertificate := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(noCertificate, []byte("no certificate"), 0o600))
	proxy := mustParse(t, "http://proxy.example:3128")
	for _, c := range []struct {
		name  string
		proxy config.ProxyConfig
		want  []string
	}{
		{"NTLM without URL", config.ProxyConfig{NTLMAuth: true, User: "u", Password: "secret"},
			[]string{"PROXY_URL (ProxyConfig.URL)"}},
		{"NTLM without user", config.ProxyConfig{NTLMAuth: true, URL: proxy, Password: "secret"},
			[]string{"PROXY_AUTH_USER (ProxyConfig.User)"}},
		{"NTLM without password", config.ProxyConfig{NTLMAuth: true, URL: proxy, User: "u"},
			[]string{"PROXY_AUTH_PASSWORD (ProxyConfig.Password)"}},
		{"proxy of another scheme", config.ProxyConfig{URL: mustParse(t, "ftp://u:secret@p.example")},
			[]string{"PROXY_URL (ProxyConfig.URL)"}},
		{"unreadable CA file", config.ProxyConfig{CACertFiles: []string{"/no/such/file.pem"}},
			[]string{"PROXY_CA_CERTS (ProxyConfig.CACertFiles)", "/no/such/file.pem"}},
		{"CA file without certificate", config.ProxyConfig{CACertFiles: []string{noCertificate}},
			[]string{"PROXY_CA_CERTS (ProxyConfig.CACertFiles)", noCertificate, "holds no certificate"}},
		{"all at once", config.ProxyConfig{NTLMAuth: true, CACertFiles: []string{"/no/such/file.pem", noCertificate}},
			[]string{"PROXY_URL", "PROXY_AUTH_USER", "PROXY_AUTH_PASSWORD", "/no/such/file.pem", noCertificate}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := NewHTTPConfig(c.proxy, testKey, testAgent, ldlog.NewDisabledLoggers())
			require.Error(t, err)
			assert.Zero(t, got)
			for _, want := range c.want {
				assert.Contains(t, err.Error(), want)
			}
			assert.NotContains(t, err.Error(), "secret")
			var setting *config.SettingError
			assert.ErrorAs(t, err, &setting)
		})
	}
}

func TestMissingCAFileCanBeMatched(t *testing.T) {
	_, err := NewHTTPConfig(config.ProxyConfig{CACertFiles: []string{"/no/such/file.pem"}}, nil, "", ldlog.Loggers{})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestHeadersThatCannotBeSentAreRejected(t *testing.T) {
	_, err := NewHTTPConfig(config.ProxyConfig{}, config.SDKKey("sdk-secret\n"), "", ldlog.NewDisabledLoggers())
	assert.ErrorContains(t, err, "the key holds white space, a control character")
	assert.NotContains(t, err.Error(), "secret")
	_, err = NewHTTPConfig(config.ProxyConfig{}, nil, "agent\r\nX-Injected: 1", ldlog.NewDisabledLoggers())
	assert.ErrorContains(t, err, "the user agent holds a line break")
}

func TestHTTPConfigPrintsWithoutSecrets(t *testing.T) {
	c := newConfig(t, config.ProxyConfig{
		URL:  mustParse(t, "http://mallory:hunter2@proxy.example:3128"),
		User: "user", Password: "correct-horse",
	})
	secrets := []string{string(testKey), "mallory", "hunter2", "correct-horse"}
	values := map[string]any{
		"HTTPConfig": c, "pointer": &c, "client": c.Client(), "round tripper": c.Client().Transport,
		"in a struct": struct{ HTTP HTTPConfig }{c}, "in an unexported field": struct{ http HTTPConfig }{c},
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			out := fmt.Sprintf(verb, value)
			for _, secret := range secrets {
				assert.NotContains(t, out, secret, "%s with %s", name, verb)
				assert.NotContains(t, out, fmt.Sprintf("%x", secret), "%s with %s", name, verb)
			}
		}
	}
	const want = `HTTPConfig(through the proxy http://proxy.example:3128, user agent "relayconf-test/1.0")`
	assert.Equal(t, []string{want, want, want}, []string{c.String(), c.GoString(), fmt.Sprintf("%+v", c)})
	assert.Equal(t, "HTTPConfig(default)", fmt.Sprint(HTTPConfig{}))
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "config", c)
	for _, secret := range secrets {
		assert.NotContains(t, log.String(), secret)
	}
}

func TestLogsSayHowItConnectsWithoutSecrets(t *testing.T) {
	ca := newPrivateCA(t)
	for _, c := range []struct {
		name, want string
		level      ldlog.LogLevel
		proxy      config.ProxyConfig
	}{
		{"proxy", "through the proxy http://p.example:1$", ldlog.Info,
			config.ProxyConfig{URL: mustParse(t, "http://u:secret@p.example:1")}},
		{"NTLM proxy", "through the proxy http://p.example with NTLM", ldlog.Info,
			config.ProxyConfig{URL: mustParse(t, "http://p.example"), NTLMAuth: true, User: "u", Password: "secret"}},
		{"user without proxy", "PROXY_AUTH_USER.*not used", ldlog.Warn, config.ProxyConfig{User: "u", Password: "secret"}},
		{"CA files", "certificate authorities in .*ca.pem", ldlog.Info, config.ProxyConfig{CACertFiles: []string{ca.file}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := ldlogtest.NewMockLog()
			_, err := NewHTTPConfig(c.proxy, testKey, testAgent, log.Loggers)
			require.NoError(t, err)
			log.AssertMessageMatch(t, true, c.level, c.want)
			for _, item := range log.GetAllOutput() {
				assert.NotContains(t, item.Message, "secret")
				assert.NotContains(t, item.Message, string(testKey))
			}
		})
	}
}
