package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = 60 * time.Second

// issued is a certificate with its key.
type issued struct {
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
	certPEM   []byte
	keyPEM    []byte
	tlsClient tls.Certificate
}

// issue makes a certificate for 127.0.0.1; without an issuer, an authority.
func issue(t *testing.T, name string, issuer *issued) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: issuer == nil,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	i := &issued{cert: cert, key: key,
		certPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyPEM:  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})}
	i.tlsClient, err = tls.X509KeyPair(i.certPEM, i.keyPEM)
	require.NoError(t, err)
	return i
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".tmp", data, 0o600))
	require.NoError(t, os.Rename(path+".tmp", path))
}

// handshake returns the name in the server's certificate.
func handshake(t *testing.T, address string, client *tls.Config) (string, error) {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: soon}, "tcp", address, client)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err != nil { // a refusal of the client's certificate comes after its handshake
		return "", err
	}
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

// serve answers each connection with a byte.
func serve(t *testing.T, c *Certificates) (address string) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", c.Config())
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("x"))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

func TestCertificatesFollowTheirFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	files := Files{Cert: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem"), ClientCA: filepath.Join(folder, "ca.pem")}
	authority := issue(t, "authority", nil)
	first, second := issue(t, "first", authority), issue(t, "second", authority)
	install := func(i *issued) {
		write(t, files.Cert, i.certPEM)
		write(t, files.Key, i.keyPEM)
	}
	install(first)
	write(t, files.ClientCA, authority.certPEM)
	c, err := Start(files, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer c.Close()
	address := serve(t, c)

	roots := x509.NewCertPool()
	roots.AddCert(authority.cert)
	stranger := &tls.Config{RootCAs: roots}
	member := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{issue(t, "relay", authority).tlsClient}}
	name, err := handshake(t, address, member)
	require.NoError(t, err)
	assert.Equal(t, "first", name)
	_, err = handshake(t, address, stranger)
	assert.ErrorContains(t, err, "certificate required")
	_, err = handshake(t, address, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11})
	assert.Error(t, err)

	follows := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			name, err := handshake(t, address, member)
			return err == nil && name == want
		}, soon, 20*time.Millisecond)
	}
	install(second)
	follows("second")
	write(t, files.Cert, []byte("no certificate"))
	write(t, files.ClientCA, issue(t, "other authority", nil).certPEM)
	name, err = handshake(t, address, member)
	require.NoError(t, err)
	assert.Equal(t, "second", name, "a mistake leaves all as it was")
	install(first)
	require.Eventually(t, func() bool {
		_, err := handshake(t, address, member)
		return err != nil
	}, soon, 20*time.Millisecond, "the authority of clients follows, too")
}

func TestMistakesAreReportedAtTheStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	authority := issue(t, "authority", nil)
	good, other := issue(t, "good", authority), issue(t, "other", authority)
	cert, key, otherKey := filepath.Join(folder, "cert"), filepath.Join(folder, "key"), filepath.Join(folder, "other")
	write(t, cert, good.certPEM)
	write(t, key, good.keyPEM)
	write(t, otherKey, other.keyPEM)
	for _, row := range []struct {
		name  string
		files Files
		want  string
	}{
		{"no certificate", Files{Cert: cert + "x", Key: key}, "the TLS certificate can't be read"},
		{"no key", Files{Cert: cert, Key: key + "x"}, "the TLS key can't be read"},
		{"another key", Files{Cert: cert, Key: otherKey}, "can't be used"},
		{"no authority", Files{Cert: cert, Key: key, ClientCA: key}, "holds no certificate in PEM form"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Start(row.files, slog.New(slog.DiscardHandler))
			assert.ErrorContains(t, err, row.want)
		})
	}
}
