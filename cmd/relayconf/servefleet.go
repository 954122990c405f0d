package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
)

// linkPath is where relays make their links, on the listener that they have their streams from.
const linkPath = "/link"

// namesSuffix makes the path of the file with the names of relays from that of the cache.
const namesSuffix = ".relays"

func (s *server) newFleet() (*fleet.Local, error) {
	name := s.options.hubName
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("the host has no name that can be found out (%w): give the hub one with --name", err)
		}
		name = host
	}
	namesFile := ""
	if s.cache != nil && s.options.cache.File != "" {
		namesFile = s.options.cache.File + namesSuffix
	}
	settle := time.Duration(0) // the default
	if s.options.demo {
		settle = time.Nanosecond // its relays were never with another hub
	}
	return fleet.NewLocal(fleet.Options{Hub: s.hub, Name: name, Version: version(), Logger: s.logger,
		NamesFile: namesFile, SeenWithin: s.options.seenWithin, Settle: settle})
}

// relayHandler serves all that relays connect to.
func (s *server) relayHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+linkPath, s.fleet)
	mux.Handle("/", s.hub)
	return mux
}

func (s *server) fleetAPI() fleet.API {
	return fleet.API{Directory: s.fleet, Upstream: s.upstream, SeenWithin: s.options.seenWithin}
}

// upstream tells whether the configuration is the present one, as far as is known: the stream is up and has brought or
// confirmed it, or the files were read.
func (s *server) upstream() (confirmed bool, why string) {
	status := s.currentSource().Status()
	switch {
	case s.draining.Load():
		return false, "the hub is shutting down"
	case status.State == autoconfig.StateValid && status.Source == autoconfig.SourceStream && s.hub.Status().Source.Confirmed():
		return true, ""
	case status.LastError != nil:
		return false, fmt.Sprintf("the hub's source is %s: %s", status.State, status.LastError.Message)
	default:
		return false, fmt.Sprintf("the hub's source is %s", status.State)
	}
}
