package state

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/wire"
	"github.com/relayconf/relayconf/internal/wire/wiretest"
)

// decodeInParts decodes a put that comes in random pieces. What is known is the state's, or nothing.
func decodeInParts(known wire.Known, data []byte, seed uint64) (*wire.Put, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	d := wire.NewPutDecoder(known)
	for len(data) > 0 {
		part := append([]byte(nil), data[:1+random.IntN(min(len(data), 1+int(seed%5000)))]...)
		data = data[len(part):]
		if err := d.Add(part); err != nil {
			return nil, err
		}
		clear(part) // nothing may point into it any more
	}
	return d.Finish()
}

// FuzzSkippingWhatIsUnchanged: two puts lead to the same state whether the second is compared with the texts of the
// first or decoded in full.
func FuzzSkippingWhatIsUnchanged(f *testing.F) {
	puts := append(wiretest.OddPuts(),
		put(listedEnv("a", 1), listedEnv("b", 1)), put(listedEnv("b", 1), listedEnv("a", 1)), put(listedEnv("a", 1), listedEnv("b", 2), listedEnv("a", 2)),
		put(listedEnv("a", 1), listedEnv("b", 2), listedEnv("a", 1)), put(listedEnv("a", 2), listedEnv("b", 1), listedEnv("a", 1)), put(member("a", env("b", 1)), listedEnv("b", 1), listedEnv("c", 1)),
		put(listedEnv("c", 1), listedEnv("a", 1, `"sdkKey":{}`), listedEnv("b", 2)))
	for i, first := range puts {
		f.Add([]byte(first), []byte(puts[(i*7+3)%len(puts)]))
		f.Add([]byte(first), []byte(first))
		f.Add([]byte(puts[len(puts)-1-i%7]), []byte(puts[len(puts)-1-i/7%7]))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		skipping, plain := New(), New()
		for i, data := range [][]byte{first, second, first, second} {
			m, err := decodeInParts(skipping.Known(), data, uint64(i*1000+7))
			if err != nil {
				continue
			}
			decoded, err := decodeInParts(wire.Nothing{}, data, 1)
			require.NoError(t, err)
			got, want := skipping.Apply(m, epoch), plain.Apply(decoded, epoch)
			require.Equal(t, want.Changes, got.Changes)
			require.Equal(t, errors.Join(want.Ignored...), errors.Join(got.Ignored...))
			require.Equal(t, want.InvalidKeys, got.InvalidKeys)
			require.Equal(t, plain.Params(epoch), skipping.Params(epoch))
			require.Equal(t, plain.Environments(), skipping.Environments())
			require.Equal(t, len(plain.environments.items), len(skipping.environments.items))
			require.Equal(t, plain.Revision(), skipping.Revision())
			require.Equal(t, plain.Digest(), skipping.Digest())
		}
	})
}

func TestRule02AnUnchangedPutIsNotDecoded(t *testing.T) {
	s := New()
	decoded := func(data string) (m *wire.Put, items int) {
		message, err := s.decode(wire.PutEvent, []byte(data))
		require.NoError(t, err)
		m = message.(*wire.Put)
		for entry := range m.Environments.All() {
			if entry.Run == (wire.Run{}) {
				items++
			}
		}
		return m, items
	}
	data := put(listedEnv("a", 1), listedEnv("b", 1), listedEnv("c", 1))
	for i, want := range []int{3, 0, 0} {
		m, items := decoded(data)
		assert.Equal(t, want, items, "round %d", i)
		assert.True(t, want > 0 || m.Environments.Len() == 1, "they are one run")
		s.Apply(m, epoch)
	}
	m, items := decoded(put(listedEnv("c", 1), listedEnv("a", 2)))
	assert.Equal(t, 1, items, "the order may change")
	assert.Equal(t, "update a; delete b; all", describe(s.Apply(m, epoch).Changes, epoch))

	play := func(name, data, want string) {
		m, err := s.decode(name, []byte(data))
		require.NoError(t, err)
		assert.Equal(t, want, describe(s.Apply(m, epoch).Changes, epoch))
	}
	play(wire.DeleteEvent, deletion("/environments/c", 0), "")
	play(wire.DeleteEvent, deletion("/environments/c", 2), "delete c")
	m, items = decoded(put(listedEnv("c", 2), listedEnv("a", 2)))
	assert.Equal(t, 1, items, "what was deleted is not skipped")
	assert.Equal(t, "add c; all", describe(s.Apply(m, epoch).Changes, epoch))
}

func TestRule07NothingIsAppliedBeforeAPutIsComplete(t *testing.T) {
	s := New()
	m, err := s.decode(wire.PutEvent, []byte(put(listedEnv("a", 1), listedEnv("b", 1))))
	require.NoError(t, err)
	s.Apply(m, epoch)
	before, revision := s.Params(epoch), s.Revision()
	text := put(listedEnv("b", 1), listedEnv("a", 2), listedEnv("c", 1))
	for cut := range len(text) {
		_, err := decodeInParts(s.Known(), []byte(text[:cut]), uint64(cut))
		require.Error(t, err)
		_, err = decodeInParts(s.Known(), []byte(text[:cut]+"\x01"+text[cut:]), uint64(cut))
		require.Error(t, err)
	}
	assert.Equal(t, before, s.Params(epoch))
	assert.Equal(t, revision, s.Revision())
	m, err = decodeInParts(s.Known(), []byte(text), 3)
	require.NoError(t, err)
	assert.Equal(t, "update a; add c; all", describe(s.Apply(m, epoch).Changes, epoch))
}
