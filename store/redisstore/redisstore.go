// Package redisstore keeps the last known configuration in Redis, or a server that is compatible with it such as
// Valkey, for a fleet of relays that share one: any of them can start from it while the service is down.
//
// What is stored is encrypted with AES-256-GCM before it leaves the process. The key is derived by HKDF-SHA256 from the
// auto-config key and a salt that is new with each Save.
//
// With the prefix "relayconf", the keys in Redis are "{relayconf}:snapshot", and for values that could not be used
// "{relayconf}:snapshot:other-key-1" to "-5" and a counter, and the same with the other reasons (damaged, newer-format,
// too-large). The braces keep them on one node of a Cluster. The user needs the commands GET, STRLEN, SET, RENAME, INCR,
// WATCH, UNWATCH, MULTI and EXEC on them.
//
// Relays that share a place must follow the same stream with the same key; others take another prefix.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/store"
	"github.com/relayconf/relayconf/store/sealed"
)

// DefaultPrefix is the prefix of the keys in Redis where none is given.
const DefaultPrefix = "relayconf"

// Options are those of New. Only Key is needed.
type Options struct {
	// Key is the secret to encrypt with: the auto-config key, or any other one that is long and random. All relays that
	// share the place need it.
	Key config.AutoConfigKey
	// OlderKeys are tried, too, when the stored snapshot is decrypted. To rotate the key of a fleet without losing it,
	// give the new one to all relays as an older key first.
	OlderKeys []config.AutoConfigKey
	// Prefix is that of the keys in Redis, without braces. Default "relayconf".
	Prefix string
	// MaxSize is the limit of a snapshot in bytes, in Redis and as JSON. Default 1 GiB; Redis itself takes 512 MB.
	MaxSize int64
	// Report, if it is there, is called by a Save that succeeded, but not simply: with store.ErrOlder (wrapped) if it kept
	// the stored snapshot because that is newer, and with a *store.UnreadableError if it set aside unusable data.
	Report func(error)
}

// Store keeps one snapshot under one key in Redis. Any goroutine may use it, and any number of processes the same key.
type Store struct {
	client redis.UniversalClient
	owned  bool   // whether Close closes the client
	server string // for logs, without a password
	key    string
	box    *sealed.Box
	report func(error)
	turn   *store.Turn
}

var _ autoconfig.KeyedStore = (*Store)(nil)

// New returns a store that uses client, which must read from masters: a *redis.Client, one of redis.NewFailoverClient,
// or a *redis.ClusterClient that is not ReadOnly. It connects to nothing yet.
func New(client redis.UniversalClient, options Options) (*Store, error) {
	if client == nil {
		return nil, errors.New("a Redis client is needed to store the configuration with")
	}
	prefix := options.Prefix
	if prefix == "" {
		prefix = DefaultPrefix
	}
	if strings.ContainsAny(prefix, "{}") {
		return nil, fmt.Errorf("the prefix %q of the keys in Redis has a brace in it: leave those out", prefix)
	}
	box, err := sealed.NewBox(options.Key, options.OlderKeys, options.MaxSize)
	if err != nil {
		return nil, err
	}
	report := options.Report
	if report == nil {
		report = func(error) {}
	}
	return &Store{client: client, server: serverOf(client), key: "{" + prefix + "}:snapshot", box: box, report: report,
		turn: store.NewTurn()}, nil
}

// serverOf names the server that a client uses.
func serverOf(client redis.UniversalClient) string {
	switch client := client.(type) {
	case *redis.Client:
		return client.Options().Addr
	case *redis.ClusterClient:
		return strings.Join(client.Options().Addrs, ", ")
	default:
		return "the client's server"
	}
}

// String names the place of the store, for logs. It holds no password.
func (s *Store) String() string { return fmt.Sprintf("the Redis key %s at %s", s.key, s.server) }

// Close closes the connections of a store that NewFromURL made. The client that was given to New stays open.
func (s *Store) Close() error {
	if !s.owned {
		return nil
	}
	return s.client.Close()
}

// SetKey makes the store encrypt with key from the next Save on. It still reads snapshots encrypted with former keys.
// An empty key is ignored.
func (s *Store) SetKey(key config.AutoConfigKey) { s.box.SetKey(key) }

// RotateKey is SetKey for a store that encrypts with former now; with another key it changes nothing. A manager calls it:
// see autoconfig.KeyedStore.
func (s *Store) RotateKey(former, key config.AutoConfigKey) { s.box.RotateKey(former, key) }

// Load returns the snapshot that is stored; nil and no error if there is none. It only reads: unusable data (damaged,
// foreign, encrypted with another key) stays where it is, and the error is a *store.UnreadableError.
func (s *Store) Load(ctx context.Context) (*autoconfig.Snapshot, error) {
	return store.InTurn(ctx, s.turn, func() (*autoconfig.Snapshot, error) {
		snapshot, reason, err := s.read(ctx, s.client)
		if reason != nil {
			return nil, s.unreadable(reason)
		}
		return snapshot, err
	})
}

// Save replaces the stored snapshot, altogether or not at all, unless the stored one is newer. It is, if some environment
// or filter that both have is newer there, and none is newer in the snapshot; see Older. To keep the newer one is no
// error: the options' Report is told.
//
// What can't be used is replaced, and kept under another key in Redis, which the Report is told; of each kind, the latest
// 5 stay. What is not a stored configuration at all is not touched: the error is a *store.UnreadableError with
// store.ErrForeign.
//
// After an error, a server that broke down in the middle may have stored the snapshot all the same.
func (s *Store) Save(ctx context.Context, snapshot *autoconfig.Snapshot) error {
	_, err := store.InTurn(ctx, s.turn, func() (struct{}, error) {
		data, err := s.box.Seal(snapshot)
		if err != nil {
			return struct{}{}, fmt.Errorf("could not save the configuration: %w", err)
		}
		notice, err := s.replace(ctx, snapshot, data)
		if err != nil {
			return struct{}{}, fmt.Errorf("could not save the configuration in Redis: %w", err)
		}
		if notice != nil {
			s.report(notice)
		}
		return struct{}{}, nil
	})
	return err
}

func (s *Store) unreadable(reason error) *store.UnreadableError {
	return &store.UnreadableError{Place: s.String(), Reason: reason}
}
