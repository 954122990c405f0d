package digest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/internal/digest"
)

func of(add func(*digest.Digest)) digest.Digest {
	var d digest.Digest
	add(&d)
	return d
}

func TestADigestTellsConfigurationsApart(t *testing.T) {
	base := of(func(d *digest.Digest) { d.Add(digest.Environment, "a", 1); d.Add(digest.Environment, "b", 2) })
	for name, test := range map[string]struct {
		other digest.Digest
		same  bool
	}{
		"another order": {of(func(d *digest.Digest) { d.Add(digest.Environment, "b", 2); d.Add(digest.Environment, "a", 1) }), true},
		"by way of other versions": {of(func(d *digest.Digest) {
			d.Add(digest.Environment, "a", 7)
			d.Add(digest.Environment, "c", 1)
			d.Add(digest.Environment, "b", 2)
			d.Remove(digest.Environment, "a", 7)
			d.Remove(digest.Environment, "c", 1)
			d.Add(digest.Environment, "a", 1)
		}), true},
		"versions exchanged": {of(func(d *digest.Digest) { d.Add(digest.Environment, "a", 2); d.Add(digest.Environment, "b", 1) }), false},
		"another kind":       {of(func(d *digest.Digest) { d.Add(digest.Filter, "a", 1); d.Add(digest.Environment, "b", 2) }), false},
		"one missing":        {of(func(d *digest.Digest) { d.Add(digest.Environment, "a", 1) }), false},
		"empty":              {digest.Digest{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.same, test.other == base)
		})
	}
}

// TestTheFormOfADigestStays guards the hash: hubs and relays of different versions compare digests.
func TestTheFormOfADigestStays(t *testing.T) {
	d := of(func(d *digest.Digest) {
		d.Add(digest.Environment, "5f1b0c7e0000000000000001", 12)
		d.Add(digest.Filter, "web.eu-only", 3)
	})
	assert.Equal(t, "4817011eef1c3e845580c8cc949e7eff", d.String())
	assert.Equal(t, "00000000000000000000000000000000", digest.Digest{}.String())
}

func TestParse(t *testing.T) {
	d := of(func(d *digest.Digest) { d.Add(digest.Environment, "a", 1) })
	for name, test := range map[string]struct {
		text string
		ok   bool
	}{
		"a digest":        {d.String(), true},
		"capital letters": {"ABCDEF00000000000000000000000000", false},
		"too short":       {d.String()[1:], false},
		"too long":        {d.String() + "0", false},
		"no digits":       {"zz000000000000000000000000000000", false},
		"empty":           {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, ok := digest.Parse(test.text)
			assert.Equal(t, test.ok, ok)
			if ok {
				assert.Equal(t, d, parsed)
			}
		})
	}
}

func TestADigestAllocatesNothing(t *testing.T) {
	var d digest.Digest
	assert.Zero(t, testing.AllocsPerRun(100, func() { d.Add(digest.Environment, "5f1b0c7e0000000000000001", 12) }))
}

func BenchmarkAdd(b *testing.B) {
	var d digest.Digest
	for b.Loop() {
		d.Add(digest.Environment, "5f1b0c7e0000000000000001", 12)
	}
}
