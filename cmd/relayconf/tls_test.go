package main

import (
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
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority issues certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its own certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.file, _ = a.issue("a private authority")
	return a
}

// issue writes a certificate for 127.0.0.1, and its key, into files. The first is the authority's own.
func (a *authority) issue(name string) (certFile, keyFile string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	own := a.cert == nil
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true, IsCA: own, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if own {
		a.cert, a.key = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(a.t, err)
	if own {
		a.cert, err = x509.ParseCertificate(der)
		require.NoError(a.t, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	folder := a.t.TempDir()
	return write(a.t, filepath.Join(folder, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		write(a.t, filepath.Join(folder, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
}

func TestALinkOverTLSNeedsTheAuthority(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.issue("the hub")
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile), "--tls-cert", cert, "--tls-key", key)
	h.serves()
	link := "wss" + h.url("relays")[len("https"):] + linkPath
	stranger := start(t, service(h.url("relays")), "watch", "--link", link, "--name", "stranger")
	stranger.says(&stranger.stderr, "No link to the hub")
	stranger.says(&stranger.stderr, "x509: certificate signed by unknown authority")
	relay := start(t, append(service(h.url("relays")), "PROXY_CA_CERTS="+ca.file), "watch", "--link", link, "--name", "eu-1")
	relay.says(&relay.stderr, "Linked to the hub")
	require.Eventually(t, func() bool {
		relays := listed(t, h)
		return len(relays) == 1 && relays[0].Name == "eu-1" && relays[0].InSync
	}, soon, 100*time.Millisecond)
}

func TestRelaysNeedACertificateIfTheHubAsksForOne(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.issue("the hub")
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile), "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", ca.file)
	h.serves()
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	for _, row := range []struct {
		name   string
		issuer *authority // of the relay's certificate; nil: it has none
		ok     bool
	}{{"its certificate", ca, true}, {"no certificate", nil, false}, {"a stranger's", newAuthority(t), false}} {
		t.Run(row.name, func(t *testing.T) {
			config := &tls.Config{RootCAs: roots}
			if row.issuer != nil {
				certificate, err := tls.LoadX509KeyPair(row.issuer.issue("a relay"))
				require.NoError(t, err)
				config.Certificates = []tls.Certificate{certificate}
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url("relays")+"/relay_auto_config", nil)
			require.NoError(t, err)
			request.Header.Set("Authorization", testKey)
			response, err := (&http.Transport{TLSClientConfig: config, DisableKeepAlives: true}).RoundTrip(request)
			if !row.ok {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			defer response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode)
		})
	}
}
