//go:build servers

package redisstore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/redistest"
)

func TestTLSWithAPrivateAuthorityAndAUserWithFewRights(t *testing.T) {
	certificate, privateKey := writeCertificate(t)
	server := redistest.Start(t, "port 0", "tls-port {port}",
		"tls-cert-file "+certificate, "tls-key-file "+privateKey, "tls-ca-cert-file "+certificate, "tls-auth-clients no",
		"user default off",
		"user relay on >secret ~{relayconf}:* +get +strlen +set +rename +incr +watch +unwatch +multi +exec")
	plain := "rediss://relay:secret@" + server.Addr()
	url := plain + "?ca_file=" + certificate

	s := newStore(t, url, Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	requireStored(t, s, versions(1))
	require.NoError(t, newStore(t, url, Options{Key: otherKey}).Save(t.Context(), versions(1)), "which sets the former one aside")
	require.NoError(t, s.Save(t.Context(), versions(2)))
	requireStored(t, s, versions(2))
	var err error

	_, err = newStore(t, plain, Options{}).Load(t.Context())
	require.ErrorContains(t, err, "certificate")
	_, err = newStore(t, strings.Replace(url, "secret", "wrong-hunter2", 1), Options{}).Load(t.Context())
	require.ErrorContains(t, err, "WRONGPASS")
	require.NotContains(t, err.Error(), "hunter2")
	_, err = newStore(t, url, Options{Prefix: "others"}).Load(t.Context())
	require.ErrorContains(t, err, "NOPERM")
}

// writeCertificate makes a certificate for the loopback address, which is its own authority.
func writeCertificate(t *testing.T) (certificateFile, keyFile string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	folder := t.TempDir()
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600))
		return path
	}
	return write("cert.pem", "CERTIFICATE", certificate), write("key.pem", "PRIVATE KEY", encoded)
}
