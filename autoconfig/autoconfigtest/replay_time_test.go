package autoconfigtest

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestReplayMovesOnOnceForClientsThatPlayTheSameSegment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := parse(t, "data: 1\n\n:!pause 1m\n:!drop\ndata: 2\n\n:!drop\n").Handler(ReplayOptions{})
		for range 3 {
			go func() { assert.Equal(t, "data: 1\n\n", play(t.Context(), p).Body.String()) }()
		}
		time.Sleep(time.Hour)
		assert.Equal(t, "data: 2\n\n", play(t.Context(), p).Body.String())
	})
}

// play has a connection to the replay, in a bubble of synctest, until ctx ends.
func play(ctx context.Context, p *Replay) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/relay_auto_config", nil))
	return w
}

func TestReplayTakesPausesAtItsSpeed(t *testing.T) {
	tests := map[string]struct {
		speed float64
		want  time.Duration
	}{
		"its own":        {0, 90 * time.Minute},
		"twice as fast":  {2, 45 * time.Minute},
		"half as fast":   {0.5, 3 * time.Hour},
		"without pauses": {math.Inf(1), 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := parse(t, "data: 1\n\n:!pause 1h\n:!pause 30m\ndata: 2\n\n:!drop\n").Handler(ReplayOptions{Speed: test.speed})
				began := time.Now()
				w := play(t.Context(), p)
				assert.Equal(t, test.want, time.Since(began))
				assert.Equal(t, "data: 1\n\ndata: 2\n\n", w.Body.String())
			})
		})
	}
	t.Run("and never overflows", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := parse(t, ":!pause 10h\n:!drop\n").Handler(ReplayOptions{Speed: 1e-300})
			ctx, cancel := context.WithTimeout(t.Context(), 200*365*24*time.Hour)
			defer cancel()
			play(ctx, p)
			assert.Error(t, ctx.Err(), "the pause ended before the client left")
		})
	})
}

func TestReplayPausesBeforeAStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := parse(t, ":!pause 2s\n:!status 503\ndata: 1\n\n:!drop").Handler(ReplayOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		play(ctx, p)
		began := time.Now()
		assert.Equal(t, 503, play(t.Context(), p).Code, "a client that leaves early gets the same again")
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.Equal(t, 200, play(t.Context(), p).Code)
	})
}

func TestReplaySendsKeepalivesAtTheirIntervalWhenNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := parse(t, ":!pause 1h\n: last\n").Handler(ReplayOptions{KeepAlive: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+3*time.Minute+time.Second)
		defer cancel()
		assert.Equal(t, ": last\n:\n:\n:\n", play(ctx, p).Body.String())

		silent := parse(t, ": last\n").Handler(ReplayOptions{})
		assert.Equal(t, ": last\n", play(ctx, silent).Body.String())
	})
}

func TestReplayShiftsTheTimesWhenTheFirstClientComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := ":!recorded 1990-01-01T00:00:00Z\n" + patchWithExpiry("631152060000") + ":!drop\n: second\n:!drop\n" +
			patchWithExpiry("631152000000") + ":!drop\n"
		p := parse(t, text).Handler(ReplayOptions{ShiftTimes: true, Loop: true})
		time.Sleep(time.Hour)
		for range 2 {
			began := time.Now().UnixMilli()
			assert.Equal(t, patchWithExpiry(decimal(began+60_000)), play(t.Context(), p).Body.String())
			time.Sleep(time.Hour)
			assert.Equal(t, ": second\n", play(t.Context(), p).Body.String())
			assert.Equal(t, patchWithExpiry(decimal(began)), play(t.Context(), p).Body.String())
			time.Sleep(time.Hour)
		}
	})
}

func TestReplayOptionsAreValidated(t *testing.T) {
	tests := map[string]struct {
		options ReplayOptions
		want    string
	}{
		"negative speed":     {ReplayOptions{Speed: -1}, "the speed of a replay must be positive, not -1"},
		"no number":          {ReplayOptions{Speed: math.NaN()}, "the speed of a replay must be positive, not NaN"},
		"negative keepalive": {ReplayOptions{KeepAlive: -1}, "the keepalive interval of a replay can't be negative"},
		"shift from nowhere": {ReplayOptions{ShiftTimes: true}, `add a line such as ":!recorded 2026-11-20T12:00:00Z"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := parse(t, ": hello\n")
			assert.ErrorContains(t, test.options.Validate(r), test.want)
			assert.Panics(t, func() { r.Handler(test.options) })
		})
	}
	r := parse(t, ":!recorded 2026-11-20T12:00:00Z\n")
	assert.NoError(t, ReplayOptions{Speed: math.Inf(1), ShiftTimes: true, KeepAlive: 1, Loop: true}.Validate(r))
}
