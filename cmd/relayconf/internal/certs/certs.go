// Package certs keeps the TLS certificate of a server, and the authorities of its clients, as the files have them: they
// are reread when they change.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/filewatch"
)

// maxSize is more than any chain of certificates takes.
const maxSize = 4 << 20

// Files are PEM files.
type Files struct {
	Cert     string // the certificate, and those between it and the authority
	Key      string // its private key
	ClientCA string // authorities; a client then needs a certificate of one of them. Empty: none is asked for
}

// Certificates are reread until Close.
type Certificates struct {
	current atomic.Pointer[tls.Config]
	watcher *filewatch.Watcher
}

// Start reads the files. Later mistakes are logged, and leave the certificates as they were.
func Start(files Files, logger *slog.Logger) (*Certificates, error) {
	c := &Certificates{}
	paths := []string{files.Cert, files.Key}
	if files.ClientCA != "" {
		paths = append(paths, files.ClientCA)
	}
	before := filewatch.Take(paths...)
	config, err := load(files)
	if err != nil {
		return nil, err
	}
	c.current.Store(config)
	c.watcher = filewatch.Start(before, func() error {
		config, err := load(files)
		switch {
		case err == nil:
			c.current.Store(config)
			logger.Info("Read the TLS certificate again", "expires", config.Certificates[0].Leaf.NotAfter)
		case !errors.Is(err, filewatch.ErrBeingWritten):
			logger.Error("The TLS files have a mistake; the certificate stays as it was", "error", err)
		}
		return err
	})
	return c, nil
}

// Close ends the rereading. It may be called twice.
func (c *Certificates) Close() { c.watcher.Close() }

// Config returns the configuration of a server, which follows the files.
func (c *Certificates) Config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current.Load(), nil },
	}
}

func load(files Files) (*tls.Config, error) {
	cert, err := filewatch.Read(files.Cert, maxSize)
	if err != nil {
		return nil, fmt.Errorf("the TLS certificate can't be read: %w", err)
	}
	key, err := filewatch.Read(files.Key, maxSize)
	if err != nil {
		return nil, fmt.Errorf("the TLS key can't be read: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("the TLS certificate %s and the key %s can't be used: %w", files.Cert, files.Key, err)
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{pair},
	}
	if files.ClientCA == "" {
		return config, nil
	}
	authorities, err := filewatch.Read(files.ClientCA, maxSize)
	if err != nil {
		return nil, fmt.Errorf("the authorities of clients can't be read: %w", err)
	}
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form: expected the authorities of clients", files.ClientCA)
	}
	return config, nil
}
