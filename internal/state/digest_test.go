package state

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/wire"
)

// Most of the digests of large puts come from their decoder, those of the rest are computed here.
func TestTheDigestOfLargePuts(t *testing.T) {
	const n = 5000
	s := New()
	for round, versionOf := range []func(int) int{
		func(int) int { return 1 },
		func(i int) int { return 1 + i%2 }, // every second is unchanged
		func(int) int { return 3 },
	} {
		environments := make([]string, n)
		var want digest.Digest
		for i := range environments {
			id := fmt.Sprint("env-", i)
			environments[i] = listedEnv(id, versionOf(i))
			want.Add(digest.Environment, id, versionOf(i))
		}
		message, err := s.decode(wire.PutEvent, []byte(put(environments...)))
		require.NoError(t, err)
		s.Apply(message, epoch)
		assert.Equal(t, want, s.Digest(), "round %d", round)
	}
}
