package shared

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

func testSecret(t testing.TB, key config.AutoConfigKey) secret {
	t.Helper()
	s, err := newSecret(key)
	require.NoError(t, err)
	return s
}

func TestARecordCountsOnlyAsItWasWrittenAndWhereItWasWritten(t *testing.T) {
	s, other := testSecret(t, "rel-1"), testSecret(t, "rel-2")
	sealed, err := s.seal(kindHeartbeat, "HUB1", heartbeat{Name: "hub-1", Number: 7})
	require.NoError(t, err)
	changed := func(at int) []byte {
		data := bytes.Clone(sealed)
		data[at] ^= 1
		return data
	}
	for _, test := range []struct {
		name   string
		secret secret
		kind   kind
		place  string
		data   []byte
		want   error
	}{
		{"as it is", s, kindHeartbeat, "HUB1", sealed, nil},
		{"by a hub with another key", other, kindHeartbeat, "HUB1", sealed, errForged},
		{"as another kind", s, kindPart, "HUB1", sealed, errForged},
		{"of another hub", s, kindHeartbeat, "HUB2", sealed, errForged},
		{"kind and place shifted", s, "heart", "beat\x00HUB1", sealed, errForged},
		{"another version", s, kindHeartbeat, "HUB1", changed(0), errForged},
		{"another sum", s, kindHeartbeat, "HUB1", changed(1), errForged},
		{"another text", s, kindHeartbeat, "HUB1", changed(len(sealed) - 1), errForged},
		{"cut", s, kindHeartbeat, "HUB1", sealed[:len(sealed)-1], errForged},
		{"longer", s, kindHeartbeat, "HUB1", append(bytes.Clone(sealed), ' '), errForged},
		{"nothing", s, kindHeartbeat, "HUB1", nil, errForged},
		{"a version alone", s, kindHeartbeat, "HUB1", []byte{envelopeVersion}, errForged},
		{"too long", s, kindHeartbeat, "HUB1", make([]byte, maxRecord+1), errTooLong},
	} {
		t.Run(test.name, func(t *testing.T) {
			var h heartbeat
			err := test.secret.open(test.kind, test.place, test.data, &h)
			require.ErrorIs(t, err, test.want)
			if test.want == nil {
				assert.Equal(t, heartbeat{Name: "hub-1", Number: 7}, h)
			} else {
				assert.Equal(t, heartbeat{}, h)
			}
		})
	}
}

func TestAKeyIsNotToBeFoundInItsFleet(t *testing.T) {
	s := testSecret(t, "rel-1")
	assert.NotContains(t, s.fleet+string(s.mac), "rel-1")
	assert.NotEqual(t, s.fleet, testSecret(t, "rel-2").fleet)
	assert.Equal(t, s, testSecret(t, "rel-1"))
}

func TestARecordThatIsTooLongIsNotWritten(t *testing.T) {
	_, err := testSecret(t, "rel-1").seal(kindReply, "x", reply{Response: make([]byte, maxRecord)})
	require.ErrorIs(t, err, errTooLong)
}

// Whoever can write to Redis chooses every byte. A record that is taken has to be one that was sealed, and one that is
// sealed in a strange way must harm nobody.
func FuzzRecords(f *testing.F) {
	s := testSecret(f, "rel-1")
	for _, text := range []string{`{}`, `{"number":1,"parts":[1]}`, `{"number":1,"relays":[{"name":"a","key":"hub","agent":true,"epoch":1}]}`,
		`{"key":"hub","lastSeen":"2026-11-21T00:00:00Z"}`, `{"id":"x","timeout":-1}`, `null`, `[]`} {
		f.Add(append(append([]byte{envelopeVersion}, s.sum(kindHeartbeat, "a/1", []byte(text))...), text...))
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var h heartbeat
		if s.open(kindHeartbeat, "a/1", data, &h) == nil {
			again, err := s.seal(kindHeartbeat, "a/1", h)
			require.NoError(t, err)
			require.NoError(t, s.open(kindHeartbeat, "a/1", again, &h))
		}
		sealed := append(append([]byte{envelopeVersion}, s.sum(kindPart, "a/1", data)...), data...)
		var p part
		if s.open(kindPart, "a/1", sealed, &p) == nil && p.check(1) == nil {
			for _, r := range p.decoded() {
				require.NotEmpty(t, r.Name)
			}
		}
		sealed = append(append([]byte{envelopeVersion}, s.sum(kindHeartbeat, "b", data)...), data...)
		if h = (heartbeat{}); s.open(kindHeartbeat, "b", sealed, &h) == nil {
			set := testPeers()
			if _, _, err := set.take("b", h, h.Time); err == nil {
				set.learn(h.Time)
				for _, p := range set.current(h.Time) {
					_, _, _ = p.list(), set.shown(p, nil), set.fresh(p, h.Time)
				}
			}
		}
	})
}
