package hub_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/autoconfig"
)

func versionsLine[V ~struct{ Version int }](items map[string]V) string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(items)) {
		all = append(all, fmt.Sprintf("%s@%d", id, struct{ Version int }(items[id]).Version))
	}
	return strings.Join(all, " ")
}

func TestARelayFollows(t *testing.T) {
	for _, plain := range []bool{true, false} {
		t.Run(fmt.Sprintf("plain=%t", plain), func(t *testing.T) {
			s := newServer(t, []autoconfig.Change{env("a", 1), env("b", 2)})
			relay := s.open(t, request{plain: plain})
			assert.Equal(t, "put a@1 b@2", short(t, relay.next()))
			s.Changes(false, []autoconfig.Change{env("a", 2)})
			assert.Equal(t, "patch a@2", short(t, relay.next()))
			s.Changes(false, []autoconfig.Change{deleted("b", 3)})
			assert.Equal(t, "delete b@3", short(t, relay.next()))
			s.Changes(true, []autoconfig.Change{removed("a"), env("c", 1)})
			assert.Equal(t, "put c@1", short(t, relay.next()))
		})
	}
}
