// Package listen serves HTTP to clients that may be slow, stuck or hostile: with time limits for headers, a limit for
// their size, and one for connections that prefers those which do something.
package listen

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	defaultHeaderTimeout = 10 * time.Second
	idleTimeout          = 2 * time.Minute // between two requests
	maxHeaderBytes       = 16 << 10
	// HTTP/2 connections that are silent get a ping, and are closed if that is not answered.
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
)

// Options are the address, the handler and the limits of a Server.
type Options struct {
	Name           string // in logs
	Address        string // host:port; port 0 lets the system choose
	Handler        http.Handler
	TLS            *tls.Config // nil: plain HTTP
	MaxConnections int         // 0 is no limit
	// HeaderTimeout is for the TLS handshake, and for a request's headers. A connection that sends no request is closed after
	// it, too. The default is 10 s.
	HeaderTimeout time.Duration
	WriteTimeout  time.Duration // for a whole response; 0 is no limit
	Logger        *slog.Logger
}

// Server listens. It owns a goroutine, which ends with Shutdown or Close.
type Server struct {
	server *http.Server
	limit  *limit
	url    string
	ended  chan struct{}
}

// Start listens before it returns.
func Start(ctx context.Context, o Options) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("the %s listener can't be opened: %w", o.Name, err)
	}
	l := &limit{Listener: listener, most: o.MaxConnections, connections: map[net.Conn]*connection{}}
	s := &Server{limit: l, url: "http://" + listener.Addr().String(), ended: make(chan struct{})}
	s.server = &http.Server{
		Handler:           o.Handler,
		ReadHeaderTimeout: cmp.Or(o.HeaderTimeout, defaultHeaderTimeout),
		WriteTimeout:      o.WriteTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         l.changed,
		ErrorLog:          slog.NewLogLogger(o.Logger.With("listener", o.Name).Handler(), slog.LevelDebug),
		HTTP2:             &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
	var serving net.Listener = l
	if o.TLS != nil {
		s.url = "https://" + listener.Addr().String()
		serving = tls.NewListener(l, o.TLS)
	}
	go func() {
		defer close(s.ended)
		if err := s.server.Serve(serving); !errors.Is(err, http.ErrServerClosed) {
			o.Logger.Error("The listener has failed", "listener", o.Name, "error", err)
		}
	}()
	o.Logger.Info("Listening", "listener", o.Name, "url", s.url)
	return s, nil
}

// URL returns the address as a URL without a path.
func (s *Server) URL() string { return s.url }

// Failed is closed when the server no longer listens.
func (s *Server) Failed() <-chan struct{} { return s.ended }

// Connections returns how many there are, and how many were refused or closed for the limit.
func (s *Server) Connections() (open int, refused uint64) { return s.limit.counts() }

// Shutdown stops to listen, and waits for requests to end until ctx does. It closes the connections that are left then.
func (s *Server) Shutdown(ctx context.Context) {
	if err := s.server.Shutdown(ctx); err != nil {
		_ = s.server.Close()
	}
	<-s.ended
}
