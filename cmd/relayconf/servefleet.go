package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet/shared"
)

// linkPath is where relays make their links, on the listener that they have their streams from.
const linkPath = "/link"

// namesSuffix makes the path of the file with the names of relays from that of the cache.
const namesSuffix = ".relays"

// startFleet makes the fleet of this hub, and that of all hubs if it is shared.
func (s *server) startFleet() error {
	name := s.options.hubName
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("the host has no name that can be found out (%w): give the hub one with --name", err)
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
	var err error
	s.fleet, err = fleet.NewLocal(fleet.Options{Hub: s.hub, Name: name, Version: version(), Logger: s.logger,
		NamesFile: namesFile, SeenWithin: s.options.seenWithin, Settle: settle})
	if err != nil {
		return err
	}
	options := shared.Options{Local: s.fleet, Hub: s.hub, URL: s.options.fleetRedis, Key: s.settings.key, Name: name,
		Logger: s.logger, SeenWithin: s.options.seenWithin}
	switch {
	case s.options.fleetRedis != "":
		redis.SetLogger(redisLog{s.settings.loggers})
		s.shared, err = shared.New(options)
	case s.options.cache.RedisURL != "":
		options.URL, options.NamesOnly = s.options.cache.RedisURL, true
		s.names, err = shared.New(options)
	}
	if err != nil {
		s.fleet.Close()
		return fmt.Errorf("the fleet can't be kept in Redis (--fleet-redis, FLEET_REDIS_URL): %w", err)
	}
	return nil
}

// directory is the fleet that operators see.
func (s *server) directory() fleet.Directory {
	if s.shared != nil {
		return s.shared
	}
	return s.fleet
}

// relayHandler serves all that relays connect to.
func (s *server) relayHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+linkPath, s.fleet)
	mux.Handle("/", s.hub)
	return mux
}

func (s *server) fleetAPI() fleet.API {
	api := fleet.API{Directory: s.directory(), Upstream: s.upstream, SeenWithin: s.options.seenWithin}
	if s.options.environments != "" {
		api.LeastVersion = leastFileVersion
	}
	return api
}

// leastFileVersion is below each version that a hub gives to a change in its files: a Unix time, in the year 2001.
const leastFileVersion = 1_000_000_000

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
