//go:build linux && servers

package hubs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// settle is the time after which a hub is sure whom to expect, as serve has it.
const settle = time.Minute

// A hub that nobody has told whom to expect is not sure that the relays that have come are all, not even if it finds their
// names in Redis, where it has written them itself.
func TestAHubThatFindsNobodyToAskDoesNotKnowWhomToExpect(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	began := time.Now()
	f := newFleet(t, urlOf(redis.Addr()), 1, 1)
	f.waitForWhole(t, f.hubs...)
	p := f.hubs[0].begin(t, f.wait(time.Second, "--min", "0")...)
	code := p.exit(t)
	if time.Since(began) < settle { // otherwise the machine is too slow to see it
		require.Equal(t, inconclusive, code, "%s%s", &p.stdout, &p.stderr)
		assert.Contains(t, p.stderr.String(), "kept no names of relays")
	}
	f.hubs[0].run(t, applied, f.wait(soon)...)
}
