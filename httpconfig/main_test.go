package httpconfig

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/config"
)

const (
	testKey   = config.AutoConfigKey("rel-00000000-0000-4000-8000-00000000auto")
	testAgent = "relayconf-test/1.0"

	deadline = time.Minute // for things that end at once unless the machine is very slow
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newConfig makes an HTTPConfig with the test key and agent.
func newConfig(t *testing.T, proxy config.ProxyConfig) HTTPConfig {
	t.Helper()
	return newLimitedConfig(t, proxy, func(*limits) {})
}

// newLimitedConfig is newConfig with other limits.
func newLimitedConfig(t *testing.T, proxy config.ProxyConfig, change func(*limits)) HTTPConfig {
	t.Helper()
	l := defaultLimits
	change(&l)
	c, err := newHTTPConfig(proxy, testKey, testAgent, ldlog.NewDisabledLoggers(), l)
	require.NoError(t, err)
	return c
}

// privateCA is a certificate authority that no system trusts.
type privateCA struct {
	file   string // its certificate
	server tls.Certificate
}

// newPrivateCA makes one, with a server's certificate for loopback and for relay.test.
func newPrivateCA(t *testing.T) privateCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	require.NoError(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost", "relay.test"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return privateCA{file: file, server: tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key}}
}

// protocols are the versions of HTTP that streams must work with.
var protocols = map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true}

// newTLSServer starts a server with a certificate of the CA.
func newTLSServer(t *testing.T, ca privateCA, http2 bool, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = http2
	s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.server}}
	s.Config.ErrorLog = discardLog
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// newServer starts a server without TLS.
func newServer(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

// get makes a request that ends with the test.
func get(t *testing.T, client *http.Client, target string) (*http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

// mustParse parses a URL.
func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u
}

// stream is a handler that sends one line at once and then nothing until the client has gone.
func stream(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte("first\n"))
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}
