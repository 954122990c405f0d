package httpconfig

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/relayconf/relayconf/config"
)

func newDefaultTLSConfig() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }

// newTLSConfig trusts the system's certificate authorities and those in the files. The error has a SettingError for
// each file that is bad.
func newTLSConfig(caCertFiles []string) (*tls.Config, error) {
	tlsConfig := newDefaultTLSConfig()
	if len(caCertFiles) == 0 {
		return tlsConfig, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		// A system without a pool, such as an empty container, can still be given its authorities here.
		pool = x509.NewCertPool()
	}
	var errs []error
	for _, file := range caCertFiles {
		pem, err := os.ReadFile(file)
		switch {
		case err != nil:
			errs = append(errs, caFileError(fmt.Sprintf("names a file that can't be read (%v). "+
				"Check the path and its permissions", err), err))
		case !pool.AppendCertsFromPEM(pem):
			errs = append(errs, caFileError(fmt.Sprintf("names %s, which holds no certificate. "+
				"It must be a PEM file, with lines like -----BEGIN CERTIFICATE-----", file), nil))
		}
	}
	tlsConfig.RootCAs = pool
	return tlsConfig, errors.Join(errs...)
}

func caFileError(problem string, cause error) error {
	return &config.SettingError{Variable: "PROXY_CA_CERTS", Field: "ProxyConfig.CACertFiles", Problem: problem, Err: cause}
}
