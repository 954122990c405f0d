//go:build linux && servers

package hubs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A hub that nobody has told whom to expect is not sure that the relays that have come are all, not even if it finds their
// names in Redis, where it has written them itself.
func TestAHubThatFindsNobodyToAskDoesNotKnowWhomToExpect(t *testing.T) {
	t.Parallel()
	f := newFleet(t, urlOf(startRedis(t).Addr()), 1, 2)
	f.waitForWhole(t, f.hubs...)
	_, stderr := f.hubs[0].run(t, inconclusive, f.wait(5*time.Second, "--min", "0")...)
	assert.Contains(t, stderr, "kept no names of relays")
	f.hubs[0].run(t, applied, f.wait(soon)...)
}
