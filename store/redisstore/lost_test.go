//go:build servers

package redisstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/redistest"
)

// The configuration does not change meanwhile: the service sends the same put again.
func TestAConfigurationThatRedisHasLostComesBack(t *testing.T) {
	tests := []struct {
		name string
		lose func(t *testing.T, server *redistest.Server)
	}{
		{"flushed", func(t *testing.T, server *redistest.Server) {
			require.NoError(t, clientOf(t, server).FlushAll(t.Context()).Err())
		}},
		{"restarted empty", func(t *testing.T, server *redistest.Server) {
			server.Kill()
			server.Run()
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "appendonly no")
			service := autoconfigtest.NewServer(t)
			service.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
			manager := autoconfig.NewStreamManager(key, service.URL, autoconfigtest.NewRecorder(), httpconfig.HTTPConfig{},
				time.Second, ldlog.NewDisabledLoggers(), autoconfig.WithStore(newStore(t, server.URL(), Options{})))
			manager.Start()
			defer func() { manager.Close(); <-manager.Done() }()
			reader := newStore(t, server.URL(), Options{})
			stored := func(ctx context.Context) error {
				snapshot, err := reader.Load(ctx)
				if err == nil && (snapshot == nil || len(snapshot.Environments) != 1) {
					return errors.New("it is not there")
				}
				return err
			}
			eventually(t, "the configuration is stored", stored)
			test.lose(t, server)
			require.Error(t, stored(t.Context()))
			service.DropConnections()
			eventually(t, "the configuration is stored again", stored)
		})
	}
}

func TestASaveThatWorksAgainIsLoggedWithThePlace(t *testing.T) {
	server := redistest.New(t)
	service := autoconfigtest.NewServer(t)
	service.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	log := ldlogtest.NewMockLog()
	s := newStore(t, server.URL()+"?max_retries=-1", Options{})
	manager := autoconfig.NewStreamManager(key, service.URL, autoconfigtest.NewRecorder(), httpconfig.HTTPConfig{},
		time.Second, log.Loggers, autoconfig.WithStore(s))
	manager.Start()
	defer func() { manager.Close(); <-manager.Done() }()
	logged := func(level ldlog.LogLevel, text string) func(context.Context) error {
		return func(context.Context) error {
			if !strings.Contains(strings.Join(log.GetOutput(level), "\n"), text) {
				return errors.New("there is no line: " + text)
			}
			return nil
		}
	}
	eventually(t, "the failure is logged", logged(ldlog.Warn, "could not be saved in "+s.String()+": "))
	server.Run()
	eventually(t, "the recovery is logged", logged(ldlog.Info, "The configuration is saved in "+s.String()+" again, after "))
}
