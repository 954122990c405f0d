package state

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/wire"
)

// Otherwise the text of an environment would be kept until the environment goes, however often there is another text.
func TestAKnownIDIsNoPartOfAText(t *testing.T) {
	for _, test := range []struct{ name, data string }{
		{wire.PatchEvent, patchEnv("a", 1)},
		{wire.PutEvent, put(listedEnv("a", 1))},
	} {
		s := New()
		m, err := s.decode(test.name, []byte(test.data))
		require.NoError(t, err)
		s.Apply(m, epoch)
		known := s.environments.find("a")
		id := uintptr(unsafe.Pointer(unsafe.StringData(known.id)))
		text := uintptr(unsafe.Pointer(unsafe.StringData(known.text)))
		assert.False(t, text <= id && id < text+uintptr(len(known.text)), test.name)
	}
}
