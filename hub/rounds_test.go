package hub

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestRoundsOfTheFanOut: the longest wait of an event is the round under way, or the time between two rounds.
func TestRoundsOfTheFanOut(t *testing.T) {
	const ms = time.Millisecond
	for took, every := range map[time.Duration]time.Duration{
		ms / 10:   ms / 10,
		ms:        ms,
		2 * ms:    10 * ms,
		10 * ms:   10 * ms,
		11 * ms:   11 * ms, // no rest
		1000 * ms: 1000 * ms,
	} {
		assert.Equal(t, every, max(took, untilNextRound(took)), "rounds that take %v", took)
	}
}
