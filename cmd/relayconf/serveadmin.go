package main

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/certs"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/ops"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/page"
)

// listenToOperators opens the admin listener, if there is to be one.
func (s *server) listenToOperators(ctx context.Context) error {
	o := s.options
	if o.adminAddr == noAddr {
		return nil
	}
	admin, err := s.admin()
	if err != nil {
		return withCode(exitUsage, err)
	}
	var config *tls.Config
	if o.adminTLSCert != "" {
		if config, err = s.tls(certs.Files{Cert: o.adminTLSCert, Key: o.adminTLSKey, ClientCA: o.adminTLSClientCA}); err != nil {
			return err
		}
	}
	if !ops.IsLoopback(o.adminAddr) {
		s.warnOfAdmin(config != nil)
	}
	operators := s.ops.Operators()
	s.fleetAPI().Register(operators)
	s.page = page.New(page.Options{Hub: pageHub{s}, Version: version(), Name: s.directory().Overview().Hub})
	s.page.Register(operators)
	return s.listenTo(ctx, "admin", o.adminAddr, admin.Guard(operators), config)
}

// warnOfAdmin says who can reach the admin listener, and how it is protected.
func (s *server) warnOfAdmin(encrypted bool) {
	needs := "the token"
	switch {
	case s.options.adminTLSClientCA != "" && s.options.adminTokenFile != "":
		needs = "a client certificate and the token"
	case s.options.adminTLSClientCA != "":
		needs = "a client certificate"
	}
	s.logger.Warn("THE ADMIN LISTENER CAN BE REACHED FROM OTHER MACHINES", "address", s.options.adminAddr, "needs", needs)
	if !encrypted {
		s.logger.Warn("The token of the admin listener is sent in plain text: give --admin-tls-cert, or put TLS before it")
	}
}

func (s *server) admin() (admin ops.Admin, err error) {
	admin.Hosts = s.options.adminHosts
	if host, _, err := net.SplitHostPort(s.options.adminAddr); err == nil && host != "" {
		admin.Hosts = append(admin.Hosts, host)
	}
	if s.options.adminTokenFile != "" {
		admin.Token, err = ops.ReadToken(s.options.adminTokenFile)
	}
	return admin, err
}
