package autoconfig

import (
	"bytes"

	"github.com/relayconf/relayconf/config"
)

// lookahead is how many events of a burst are looked up at once.
const lookahead = 16

// cacheLine is how many bytes come from memory at once; on most processors.
const cacheLine = 64

// lookAhead looks up which environments the next events are about, as far as they were received. Nothing comes of it
// but that those environments are in the processor's caches then.
//
// Where much is known, a patch waits for memory several times, one after the other, and that may be a third of its time:
// for its place in the map, its item, its strings. The waits of lookups that follow upon each other directly overlap.
func (d *decoder) lookAhead(received []byte) {
	d.ids = idsIn(received, d.ids[:0])
	for _, id := range d.ids {
		if known := d.known.items[config.EnvironmentID(id)]; known != nil {
			d.lookedAt += known.version
			for strings := known.value.strings; len(strings) > cacheLine; strings = strings[cacheLine:] {
				d.lookedAt += int(strings[cacheLine])
			}
		}
	}
	clear(d.ids) // they are in the reader's buffer
}

// idsIn appends the ids of environments that the first whole events in received name where services name them: at their
// beginning. It may miss some.
func idsIn(received []byte, ids [][]byte) [][]byte {
	const within = 100
	for range lookahead {
		event, rest, whole := bytes.Cut(received, []byte("\n\n"))
		if !whole {
			break
		}
		received = rest
		_, path, _ := bytes.Cut(event[:min(within, len(event))], []byte("/environments/"))
		if id, _, ok := bytes.Cut(path, []byte(`"`)); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
