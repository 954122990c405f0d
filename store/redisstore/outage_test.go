//go:build servers

package redisstore

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/internal/redistest"
)

func TestAServerThatIsKilledAndRestartedIsUsedAgain(t *testing.T) {
	server := redistest.Start(t)
	s := newStore(t, server.URL(), Options{})
	require.NoError(t, s.Save(t.Context(), versions(1)))
	for version := 2; version < 4; version++ {
		server.Kill()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := s.Load(ctx)
		require.Error(t, err)
		require.Error(t, s.Save(ctx, versions(version)))
		cancel()

		server.Run()
		eventually(t, "the server is used again", func(ctx context.Context) error {
			_, err := s.Load(ctx)
			return err
		})
		requireStored(t, s, versions(version-1))
		require.NoError(t, s.Save(t.Context(), versions(version)))
		requireStored(t, s, versions(version))
	}
}

// The server is killed while several relays save without a pause. Whatever they were told, what is left is whole, and
// not older than what any of them was told is stored.
func TestAServerKilledDuringSavesLosesNothingThatWasSaved(t *testing.T) {
	server := redistest.Start(t)
	reader := newStore(t, server.URL(), Options{})
	version := 0
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		var savers sync.WaitGroup
		var mu sync.Mutex
		saved, several := version, make(chan struct{})
		for range 3 {
			s := newStore(t, server.URL(), Options{})
			savers.Go(func() {
				for ctx.Err() == nil {
					mu.Lock()
					version++
					mine := version
					mu.Unlock()
					if s.Save(ctx, versions(mine, mine, mine)) == nil {
						mu.Lock()
						saved = max(saved, mine)
						if mine%15 == 0 {
							select {
							case several <- struct{}{}:
							default:
							}
						}
						mu.Unlock()
					}
				}
			})
		}
		<-several
		server.Kill()
		cancel()
		savers.Wait()
		server.Run()
		var snapshot *autoconfig.Snapshot
		eventually(t, "the server has loaded its data", func(ctx context.Context) (err error) {
			snapshot, err = reader.Load(ctx)
			return err
		})
		got := snapshot.Environments["env0"].Version
		require.Equal(t, versions(got, got, got).Environments, snapshot.Environments)
		require.GreaterOrEqual(t, got, saved)
	}
}

func TestAServerThatHangsHoldsUpNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close() // it accepts nobody, and the system accepts connections for it
	s := newStore(t, "redis://"+listener.Addr().String()+"?max_retries=-1", Options{})
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		_, err := s.Load(ctx)
		requireTimeout(t, err)
		requireTimeout(t, s.Save(ctx, versions(1)))
		assert.Less(t, time.Since(start), 30*time.Second)
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { failed <- s.Save(ctx, versions(1)) }()
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
}

// requireTimeout takes the end of the context, and that of the connection, whose deadline is the same moment.
func requireTimeout(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.True(t, errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded), err.Error())
}
