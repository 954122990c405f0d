package wire

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/wire/wiretest"
)

// Of a large put the decoder computes most digests while it decodes the rest.
func TestALargePutComesWithDigests(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that a message is soon made before its digests, if that can be
	const n = 5000
	environments := make([]string, n)
	for i := range environments {
		environments[i] = wiretest.Listed(fmt.Sprint("env-", i), i)
	}
	d := NewPutDecoder(Nothing{})
	for text := []byte(wiretest.Put(environments...)); len(text) > 0; text = text[min(len(text), 10_000):] {
		require.NoError(t, d.Add(text[:min(len(text), 10_000)]))
	}
	put, err := d.Finish()
	require.NoError(t, err)
	require.Equal(t, n, put.Environments.Len())
	computed := 0
	for entry := range put.Environments.All() {
		assert.True(t, strings.HasPrefix(entry.ID, "env-"))
		if entry.Digest == (digest.Digest{}) {
			continue // of the last chunk, or a small one: the state computes it
		}
		computed++
		assert.Equal(t, digest.Of(digest.Environment, entry.ID, entry.Version), entry.Digest)
	}
	assert.Equal(t, 3*mostInAChunk, computed)
}
