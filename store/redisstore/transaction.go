package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/store"
)

const (
	// kept is how many values of each kind that could not be used stay set aside, each under a key of its own.
	kept = 5

	// A fleet that saves at the same moment is through within as many attempts as it has relays, since one of them
	// succeeds in each round, and those that are older stop.
	maxAttempts = 200
	maxPause    = 50 * time.Millisecond
)

// read returns the stored snapshot, or the reason why it can't be used, or the error of Redis. Without a stored one,
// all of them are nil.
func (s *Store) read(ctx context.Context, client redis.Cmdable) (snapshot *autoconfig.Snapshot, reason, err error) {
	size, err := client.StrLen(ctx, s.key).Result()
	if err == nil && size > s.box.MaxSize() {
		return nil, fmt.Errorf("%w: it has %d bytes, and the limit is %d", store.ErrTooLarge, size, s.box.MaxSize()), nil
	}
	var value string
	if err == nil {
		value, err = client.Get(ctx, s.key).Result()
	}
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil, nil
	case err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE"):
		return nil, fmt.Errorf("%w: its Redis type is not string", store.ErrForeign), nil
	case err != nil:
		return nil, nil, fmt.Errorf("could not load the configuration from Redis: %w", err)
	}
	snapshot, reason = s.box.Open([]byte(value))
	return snapshot, reason, nil
}

// replace stores the data of a snapshot. The notice is for Options.Report.
//
// Nobody but the relays can decrypt and compare snapshots. So a relay reads the stored one, compares, and replaces it in
// a transaction that fails if it was replaced meanwhile; then it begins again.
func (s *Store) replace(ctx context.Context, snapshot *autoconfig.Snapshot, data []byte) (notice error, err error) {
	err = s.watch(ctx, func(tx *redis.Tx) error {
		notice = nil
		stored, reason, err := s.read(ctx, tx)
		if err != nil {
			return err
		}
		if stored != nil && Older(snapshot, stored) {
			notice = fmt.Errorf("%s: %w", s, store.ErrOlder)
			return nil
		}
		aside := ""
		if reason != nil {
			unreadable := s.unreadable(reason)
			if errors.Is(reason, store.ErrForeign) {
				return unreadable
			}
			if aside, err = s.nextAside(ctx, tx, unreadable.Kind()); err != nil {
				return err
			}
			unreadable.SetAside = aside
			notice = unreadable
		}
		_, err = tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			if aside != "" {
				pipe.Rename(ctx, s.key, aside)
			}
			pipe.Set(ctx, s.key, data, 0)
			return nil
		})
		return err
	})
	return notice, err
}

// nextAside returns the key to set aside under, in turn.
func (s *Store) nextAside(ctx context.Context, tx *redis.Tx, kind string) (string, error) {
	count, err := tx.Incr(ctx, s.key+":"+kind+"-count").Result()
	if err != nil {
		return "", fmt.Errorf("could not count what is set aside: %w", err)
	}
	return fmt.Sprintf("%s:%s-%d", s.key, kind, 1+(count-1)%kept), nil
}

// watch calls attempt again for as long as others change the stored snapshot in the middle of it.
func (s *Store) watch(ctx context.Context, attempt func(*redis.Tx) error) error {
	for range maxAttempts {
		err := s.client.Watch(ctx, attempt, s.key)
		if !errors.Is(err, redis.TxFailedErr) {
			return err
		}
		select {
		case <-time.After(rand.N(maxPause)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("others replaced it each time, %d times in a row", maxAttempts)
}
