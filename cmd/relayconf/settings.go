package main

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/keysource"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

// settings are the variables and the key of a command that connects to the service.
type settings struct {
	config.Config
	key     config.AutoConfigKey
	keyFile string
	http    httpconfig.HTTPConfig
	logger  *slog.Logger
	loggers ldlog.Loggers // writes to logger
	gate    *logGate      // of both; nil if their level can't be changed
}

// loadSettings reads everything and connects to nothing.
func loadSettings(keyFile, logFormat string) (settings, error) {
	s := settings{keyFile: keyFile}
	var err error
	if s.Config, err = readEnvironment(); err != nil {
		return s, err
	}
	s.logger, s.loggers, s.gate = gated(stderr, logFormat, s.LogLevel)
	if s.key, err = keysource.Read(keyFile, s.AutoConfig.Key); err != nil {
		return s, withCode(exitUsage, err)
	}
	// The key is given with each request, since it may be rotated.
	if s.http, err = httpconfig.NewHTTPConfig(s.Proxy, nil, userAgent(), s.loggers); err != nil {
		return s, usageError("the proxy settings can't be used: %s", indented(err))
	}
	return s, nil
}

func readEnvironment() (config.Config, error) {
	c, err := config.FromEnv(os.LookupEnv)
	if err != nil {
		return c, usageError("the environment variables can't be used: %s", indented(err))
	}
	return c, nil
}

// indented puts the parts of a joined error on lines of their own.
func indented(err error) string {
	text := err.Error()
	if !strings.Contains(text, "\n") {
		return text
	}
	return "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// keyChanges reads the key file again at each signal, and passes on each key that is new. It does so in a goroutine of its
// own, which ends with the context, since a key file may be a pipe that is slow.
func (s settings) keyChanges(ctx context.Context, hup <-chan os.Signal) <-chan config.AutoConfigKey {
	keys := make(chan config.AutoConfigKey)
	go func() {
		for {
			select {
			case <-hup:
			case <-ctx.Done():
				return
			}
			if !s.rereadKey() {
				continue
			}
			select {
			case keys <- s.key:
			case <-ctx.Done():
				return
			}
		}
	}()
	return keys
}

// rereadKey reads the key file again. If it can't be used, or has the same key, it returns false and the log says so.
func (s *settings) rereadKey() bool {
	key, err := keysource.Read(s.keyFile, "")
	switch {
	case err != nil:
		s.loggers.Errorf("Got SIGHUP, but %s; going on with the old key %s", err, s.key)
		return false
	case key == s.key:
		s.loggers.Infof("Got SIGHUP; the key file still has the key %s", key)
		return false
	}
	s.loggers.Infof("Got SIGHUP; the key is now %s", key)
	s.key = key
	return true
}
