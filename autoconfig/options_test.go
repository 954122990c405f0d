package autoconfig

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/memnet"
)

func TestOptionsHaveNoEffectOnAManagerThatWasMade(t *testing.T) {
	var late func(Option)
	keep := func(s *settings) { late = func(option Option) { option(s) } }
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, put()))
		late(WithReadTimeout(time.Second))
		late(WithMaxEventSize(1))
		late(WithHTTPClient(http.DefaultClient))
		e.send(eventText(PatchEvent, patchEnv("a", 1)))
		r.wants("all", "add a")
		time.Sleep(DefaultReadTimeout - 1)
		synctest.Wait()
		assert.False(t, e.Dropped())
		e.drop()
		r.service.stream("")
	}, keep)
}

func TestWithHTTPClient(t *testing.T) {
	t.Run("it is used instead of the HTTPConfig's", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			require.Equal(t, "https://example.com/relay_auto_config", r.service.next().Request.URL.String())
		})
	})
	t.Run("of two the last counts, and nil does not", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			last := memnet.NewService()
			r := newRig(t, 0, WithHTTPClient(&http.Client{Transport: last}), WithHTTPClient(nil))
			r.manager.Start()
			require.NotNil(t, last.Next(time.Hour))
			r.close()
		})
	})
	t.Run("nil is the HTTPConfig's", func(t *testing.T) {
		requests := make(chan *http.Request, 1)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case requests <- r:
			default:
			}
		}))
		defer server.Close()
		httpConfig, err := httpconfig.NewHTTPConfig(config.ProxyConfig{}, testKey, "the-config's/1.0", ldlog.NewDisabledLoggers())
		require.NoError(t, err)
		m := NewStreamManager(testKey, server.URL, &relay{}, httpConfig, 0, ldlog.NewDisabledLoggers(), WithHTTPClient(nil))
		m.Start()
		assert.Equal(t, "the-config's/1.0", (<-requests).UserAgent())
		m.Close()
		<-m.Done()
	})
}
