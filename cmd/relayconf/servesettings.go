package main

import (
	"log/slog"
	"os"
	"strings"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/keysource"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

// checkedStreamURI holds the flag to the rules of the variable.
func checkedStreamURI(uri string) (string, error) {
	checked, err := config.FromEnv(func(name string) (string, bool) {
		if name == "STREAM_URI" {
			return uri, true
		}
		return "", false
	})
	if err != nil {
		return "", usageError("%s", strings.Replace(err.Error(), "STREAM_URI (AutoConfigConfig.StreamURI)", "--stream-uri", 1))
	}
	return checked.AutoConfig.StreamURI, nil
}

// serveSettings reads the variables and the key file. A hub that has files and a key for each relay needs no key itself.
func serveSettings(o *serveOptions) (settings, *slog.Logger, error) {
	s := settings{keyFile: o.keyFile}
	var err error
	if s.Config, err = readEnvironment(); err != nil {
		return s, nil, err
	}
	if o.streamURI != "" {
		if s.AutoConfig.StreamURI, err = checkedStreamURI(o.streamURI); err != nil {
			return s, nil, err
		}
	}
	o.cache = o.cache.orElse(s.Cache)
	if o.fleetRedis == "" {
		o.fleetRedis = strings.TrimSpace(os.Getenv("FLEET_REDIS_URL"))
	}
	logger := logging.New(stderr, o.logFormat, s.LogLevel)
	s.loggers = logging.Loggers(logger, s.LogLevel)
	forOthers := o.environments == "" || o.keys == "" // the service or relays
	forCache := o.cache.File != "" || o.cache.RedisURL != ""
	if !forOthers && forCache && o.keyFile == "" && s.AutoConfig.Key == "" {
		return s, nil, usageError("the cache is encrypted with a key, and there is none: set AUTO_CONFIG_KEY or give a --key-file with a key " +
			"of your own, which must stay the same, such as that of: openssl rand -hex 32; or leave out the cache")
	}
	forFleet := o.fleetRedis != ""
	if !forOthers && forFleet && o.keyFile == "" && s.AutoConfig.Key == "" {
		return s, nil, usageError("the hubs of a fleet in Redis know each other by a key that all of them have, and there is none: " +
			"set AUTO_CONFIG_KEY or give a --key-file, with the same key at all hubs")
	}
	if forOthers || forCache || forFleet || o.keyFile != "" {
		if s.key, err = keysource.Read(o.keyFile, s.AutoConfig.Key); err != nil {
			return s, nil, withCode(exitUsage, err)
		}
	}
	if s.http, err = httpconfig.NewHTTPConfig(s.Proxy, nil, userAgent(), s.loggers); err != nil {
		return s, nil, usageError("the proxy settings can't be used: %s", indented(err))
	}
	return s, logger, nil
}
