package state

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/wire"
)

func hashOf(id string) uint32 { return wire.Hash([]byte(id)) }

func TestAnIndexFindsWhatWasAddedAndNothingElse(t *testing.T) {
	for _, room := range []int{0, 6, 7, 3000} {
		x := newIndex(room)
		var items []item
		for place := range 3000 {
			id := fmt.Sprint("id-", place)
			require.Equal(t, -1, x.find(id, hashOf(id), items), "before it was added")
			x.add(hashOf(id), place)
			items = append(items, item{id: id})
			require.Equal(t, place, x.find(id, hashOf(id), items))
		}
		for place := range items {
			require.Equal(t, place, x.find(items[place].id, hashOf(items[place].id), items))
		}
		assert.Equal(t, -1, x.find("", hashOf(""), items))
	}
}

func TestAnIndexTellsIDsOfTheSameHashApart(t *testing.T) {
	x := newIndex(0)
	items := []item{{id: "a"}, {id: "b"}, {id: "c"}}
	for place := range items {
		x.insert(slot{hash: hashOf("b"), nth: uint32(place) + 1})
	}
	assert.Equal(t, 1, x.find("b", hashOf("b"), items))
	x.grow(100)
	assert.Equal(t, 1, x.find("b", hashOf("b"), items))
}

func TestAnIndexWithRoomIsNotMadeAnew(t *testing.T) {
	for _, n := range []int{1, 6, 7, 96, 97, 100_000} {
		x := newIndex(n)
		slots := len(x.slots)
		for place := range n {
			x.add(hashOf(fmt.Sprint(place)), place)
		}
		assert.Len(t, x.slots, slots, "%d items", n)
	}
}
