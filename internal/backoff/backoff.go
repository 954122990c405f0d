// Package backoff spaces out attempts at something that has failed.
package backoff

import "time"

// Backoff is a delay that doubles with each attempt, from Base up to Limit.
type Backoff struct {
	Base, Limit time.Duration
	attempts    int
}

// Next returns the delay before the next attempt.
func (b *Backoff) Next() time.Duration {
	delay := b.Base
	for range b.attempts {
		if delay >= b.Limit {
			break
		}
		delay = min(2*delay, b.Limit)
	}
	b.attempts++
	return delay
}

// Attempts is how many delays were taken since the last Reset.
func (b *Backoff) Attempts() int { return b.attempts }

// Reset makes the next delay the Base again.
func (b *Backoff) Reset() { b.attempts = 0 }
