package state

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/wire"
)

// Otherwise the first text of an environment would be kept until the environment goes, however often there is another.
func TestAKnownIDKeepsNoOtherText(t *testing.T) {
	event := func(name, data string) func(*State) wire.Message {
		return func(s *State) wire.Message {
			m, err := s.decode(name, []byte(data))
			require.NoError(t, err)
			return m
		}
	}
	provisional := func(*State) wire.Message {
		item, err := wire.EnvironmentItem("a", env("a", 1))
		require.NoError(t, err)
		item.Provisional = true
		var m wire.Put
		m.Environments.Add(wire.Entry{Item: item})
		return &m
	}
	patch := func(version int) func(*State) wire.Message { return event(wire.PatchEvent, patchEnv("a", version)) }
	first := event(wire.PutEvent, put(listedEnv("a", 1)))
	for name, messages := range map[string][]func(*State) wire.Message{
		"a put":                 {first},
		"a patch":               {patch(1)},
		"a patch after a put":   {first, patch(2)},
		"a patch after a patch": {patch(1), patch(2)},
		"a newer put":           {first, event(wire.PutEvent, put(listedEnv("a", 2)))},
		"the same version":      {first, event(wire.PutEvent, put(listedEnv("a", 1, `"envName":"another"`)))},
		"listed twice":          {event(wire.PutEvent, put(listedEnv("a", 1), listedEnv("a", 2)))},
		"a confirmed text":      {provisional, event(wire.PutEvent, put(listedEnv("a", 1, `"more":1`)))},
		"a delete":              {first, event(wire.DeleteEvent, deletion("/environments/a", 2))},
		"back after a delete":   {first, event(wire.DeleteEvent, deletion("/environments/a", 2)), patch(3)},
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			var texts []string
			for _, message := range messages {
				m := message(s)
				switch m := m.(type) {
				case *wire.Put:
					for entry := range m.Environments.All() {
						texts = append(texts, entry.Text)
					}
				case *wire.Patch:
					texts = append(texts, m.Item.Text)
				}
				s.Apply(m, epoch)
			}
			known := s.environments.find("a", hashOf("a"))
			require.NotNil(t, known)
			for i, text := range texts {
				if unsafe.StringData(text) != unsafe.StringData(known.text) || known.text == "" {
					assert.False(t, isPart(known.id, text), fmt.Sprint("of text ", i))
				}
			}
		})
	}
}

// isPart says whether a string is in the memory of another.
func isPart(s, of string) bool {
	at, start := uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(unsafe.Pointer(unsafe.StringData(of)))
	return start <= at && at < start+uintptr(len(of))
}
