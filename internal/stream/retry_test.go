package stream

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRule15Schedules(t *testing.T) {
	noJitter := func() float64 { return 0 }
	delays := func(next func() time.Duration, n int) (all []string) {
		for range n {
			all = append(all, next().String())
		}
		return all
	}
	t.Run("fast", func(t *testing.T) {
		s := newRetrySchedule(0, noJitter)
		assert.Equal(t, []string{"1s", "2s", "4s", "8s", "16s", "30s", "30s"}, delays(s.fastDelay, 7))
		s.reset()
		assert.Equal(t, []string{"1s"}, delays(s.fastDelay, 1))
	})
	t.Run("fast with its own base", func(t *testing.T) {
		assert.Equal(t, []string{"10ms", "20ms"}, delays(newRetrySchedule(10*time.Millisecond, noJitter).fastDelay, 2))
		assert.Equal(t, []string{"1s"}, delays(newRetrySchedule(-1, noJitter).fastDelay, 1))
		assert.Equal(t, []string{"1m0s", "1m0s"}, delays(newRetrySchedule(time.Minute, noJitter).fastDelay, 2))
	})
	t.Run("slow", func(t *testing.T) {
		s := newRetrySchedule(0, noJitter)
		assert.Equal(t, []string{"5m0s", "10m0s", "20m0s", "40m0s", "1h0m0s", "1h0m0s"}, delays(s.slowDelay, 6))
		assert.Equal(t, []string{"1s"}, delays(s.fastDelay, 1), "each schedule goes its own way")
	})
	t.Run("never overflows", func(t *testing.T) {
		s := newRetrySchedule(math.MaxInt64, noJitter)
		for range 1000 {
			assert.Positive(t, s.fastDelay())
		}
	})
	t.Run("jitter takes up to half off", func(t *testing.T) {
		for random, want := range map[float64]time.Duration{0: time.Second, 0.5: 750 * time.Millisecond, 1: 500 * time.Millisecond} {
			assert.Equal(t, want, newRetrySchedule(0, func() float64 { return random }).fastDelay())
		}
	})
	t.Run("the first delay after a loss is spread over twice as much", func(t *testing.T) {
		for random, want := range map[float64]time.Duration{0: 500 * time.Millisecond, 0.5: time.Second, 1: 1500 * time.Millisecond} {
			s := newRetrySchedule(0, func() float64 { return random })
			assert.Equal(t, want, s.afterLoss())
		}
		s := newRetrySchedule(0, noJitter)
		assert.Equal(t, []string{"500ms", "2s", "4s"}, delays(s.afterLoss, 3))
		assert.Equal(t, []string{"8s"}, delays(s.fastDelay, 1), "it is one schedule")
		assert.Positive(t, newRetrySchedule(math.MaxInt64, func() float64 { return 0.9 }).afterLoss())
	})
	t.Run("retry field", func(t *testing.T) {
		for field, want := range map[time.Duration]string{
			3 * time.Second: "3s", time.Hour: "30s", math.MaxInt64: "30s", 0: "1s", time.Millisecond: "1ms",
		} {
			s := newRetrySchedule(0, noJitter)
			s.setBase(field)
			assert.Equal(t, []string{want, "5m0s"}, []string{s.fastDelay().String(), s.slowDelay().String()})
		}
	})
	t.Run("Retry-After lengthens and never shortens", func(t *testing.T) {
		s := newRetrySchedule(0, noJitter)
		assert.Equal(t, 20*time.Second, s.atLeast(time.Second, 20*time.Second))
		assert.Equal(t, 20*time.Second, s.atLeast(20*time.Second, time.Second))
		assert.Equal(t, time.Hour, newRetrySchedule(0, func() float64 { return 0.9 }).atLeast(time.Second, time.Hour))
		assert.Equal(t, 20900*time.Millisecond, newRetrySchedule(0, func() float64 { return 0.9 }).atLeast(time.Second, 20*time.Second))
	})
	t.Run("an exact moment", func(t *testing.T) {
		s := newRetrySchedule(0, func() float64 { return 0.5 })
		assert.Equal(t, 1300*time.Millisecond, s.exactly(1250*time.Millisecond))
		assert.Equal(t, 150*time.Millisecond, s.exactly(0))
		assert.Equal(t, 750*time.Millisecond, s.fastDelay(), "the schedule has not grown")
	})
}

func TestRule15WhichScheduleAnswersGet(t *testing.T) {
	slow := map[int]bool{400: false, 402: true, 404: true, 407: true, 408: false, 410: true, 422: true, 429: false, 451: true, 499: true,
		500: false, 502: false, 503: false, 504: false, 599: false, 302: false, 204: false, 200: false}
	for status, want := range slow {
		assert.Equal(t, want, failureOf(&ResponseError{Status: status}).slow, "%d", status)
	}
}
