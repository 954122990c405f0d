package main

import (
	"context"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet/shared"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/keyfile"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/hub"
)

// hubKeyName is the name of the hub's own key in logs.
const hubKeyName = "hub"

// startKeys gives the hub the keys that relays may present: those of the key file, or else the hub's own.
func (s *server) startKeys(ctx context.Context) (err error) {
	if s.options.keys == "" {
		return s.hub.SetKeys([]hub.Key{{Name: hubKeyName, Key: s.settings.key}})
	}
	s.keys, err = keyfile.Start(ctx, keyfile.Options{Path: s.options.keys, Apply: s.applyKeys, Logger: s.logger})
	return withCode(exitUsage, err)
}

func (s *server) applyKeys(keys []keyfile.Key) error {
	var all []hub.Key
	for _, k := range keys {
		all = append(all, hub.Key{Name: k.Name, Key: k.Key, SHA256: k.SHA256, Projects: k.Projects,
			Environments: k.Environments, RelayNames: k.RelayNames})
	}
	if err := s.hub.SetKeys(all); err != nil {
		return err
	}
	s.checkPatterns()
	return nil
}

// changeKey makes everything follow a new key of the hub. The former one counts a while longer for relays, since a
// rejected key is final for many of them.
func (s *server) changeKey(key config.AutoConfigKey) {
	former := s.settings.key
	s.settings.key = key
	s.currentSource().SetKey(former, key)
	for _, inRedis := range []*shared.Fleet{s.shared, s.names} {
		if inRedis == nil {
			continue
		}
		if err := inRedis.SetKey(key); err != nil {
			s.logger.Error("The new key can't be used for the fleet in Redis", "error", err)
		}
	}
	if s.options.keys != "" {
		return
	}
	keys := []hub.Key{{Name: hubKeyName, Key: key}}
	// The same name, so that streams go on.
	s.former = append(s.former, hub.Key{Name: hubKeyName, Key: former, Until: time.Now().Add(s.options.formerKeyGrace)})
	for _, k := range s.former {
		if k.Key != key && time.Now().Before(k.Until) {
			keys = append(keys, k)
		}
	}
	s.former = keys[1:]
	if err := s.hub.SetKeys(keys); err != nil {
		s.logger.Error("The new key can't be used for relays; they go on with the former one", "error", err)
	}
}
