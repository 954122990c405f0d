package envfactory

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

func parse(t *testing.T, text string) EnvironmentRep {
	t.Helper()
	var rep EnvironmentRep
	require.NoError(t, json.Unmarshal([]byte(text), &rep))
	return rep
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func TestToParamsKeepsEveryField(t *testing.T) {
	rep := parse(t, `{"envID":"env1","envKey":"production","envName":"Production","projKey":"web","projName":"Web shop",
		"mobKey":"mob-1","sdkKey":{"value":"sdk-1","expiring":{"value":"sdk-0","timestamp":1790000000000}},
		"defaultTtl":5,"secureMode":true,"version":12,"somethingNew":[1]}`)
	assert.Equal(t, EnvironmentParams{
		EnvID:              "env1",
		Identifiers:        EnvIdentifiers{EnvKey: "production", EnvName: "Production", ProjKey: "web", ProjName: "Web shop"},
		SDKKey:             "sdk-1",
		MobileKey:          "mob-1",
		ExpiringSDKKey:     "sdk-0",
		ExpiringSDKKeyTime: at(1790000000000),
		AcceptedSDKKeys:    []AcceptedSDKKey{{Name: "default", Value: "sdk-1"}, {Value: "sdk-0", Expiry: at(1790000000000)}},
		AcceptedMobileKeys: []AcceptedMobileKey{{Name: "default", Value: "mob-1"}},
		TTL:                5 * time.Minute,
		SecureMode:         true,
	}, rep.ToParams())
	assert.Equal(t, "web/production", rep.ToParams().Identifiers.String())
}

func TestToParamsAcceptedSDKKeys(t *testing.T) {
	for _, test := range []struct {
		name     string
		keys     string // the members of the environment that matter
		want     []AcceptedSDKKey
		expiring config.SDKKey
	}{
		{"single key", `"sdkKey":{"value":"a"}`, []AcceptedSDKKey{{Name: "default", Value: "a"}}, ""},
		{"expiring is null", `"sdkKey":{"value":"a","expiring":null}`, []AcceptedSDKKey{{Name: "default", Value: "a"}}, ""},
		{"the expiring key became the default key", `"sdkKey":{"value":"a","expiring":{"value":"a","timestamp":7}}`,
			[]AcceptedSDKKey{{Name: "default", Value: "a"}}, ""},
		{"no key at all", `"version":1`, nil, ""},
		{"empty list counts as no list", `"sdkKey":{"value":"a"},"sdkKeys":[]`, []AcceptedSDKKey{{Name: "default", Value: "a"}}, ""},
		{"expiries come from the list", `"sdkKey":{"value":"a","expiring":{"value":"b","timestamp":7}},
			"sdkKeys":[{"key":"default","value":"a"},{"key":"old","value":"b","expiry":9}]`,
			[]AcceptedSDKKey{{Name: "default", Value: "a"}, {Name: "old", Value: "b", Expiry: at(9)}}, "b"},
		{"an expiring key that is not in the list is not accepted", `"sdkKey":{"value":"a","expiring":{"value":"b","timestamp":7}},
			"sdkKeys":[{"key":"default","value":"a","expiry":null}]`, []AcceptedSDKKey{{Name: "default", Value: "a"}}, ""},
		{"the default key never expires", `"sdkKey":{"value":"a"},"sdkKeys":[{"key":"default","value":"a","expiry":9}]`,
			[]AcceptedSDKKey{{Name: "default", Value: "a"}}, ""},
		{"a key with views is left out", `"sdkKey":{"value":"a"},
			"sdkKeys":[{"key":"v","value":"b","hasViews":true},{"key":"default","value":"a"}]`,
			[]AcceptedSDKKey{{Name: "default", Value: "a"}}, ""},
		{"the default key is accepted with views too", `"sdkKey":{"value":"a"},"sdkKeys":[{"key":"default","value":"a","hasViews":true}]`,
			[]AcceptedSDKKey{{Name: "default", Value: "a"}}, ""},
		{"the key that expires next is the expiring one", `"sdkKey":{"value":"a"},
			"sdkKeys":[{"value":"c","expiry":9},{"value":"b","expiry":8},{"value":"a"}]`,
			[]AcceptedSDKKey{{Value: "c", Expiry: at(9)}, {Value: "b", Expiry: at(8)}, {Value: "a"}}, "b"},
		{"of a key listed twice the longer entry counts", `"sdkKey":{"value":"a"},
			"sdkKeys":[{"value":"a"},{"value":"b","expiry":8},{"value":"b","expiry":9},{"value":"b","expiry":7},
				{"value":"c","expiry":8},{"value":"c"},{"value":"c","expiry":9}]`,
			[]AcceptedSDKKey{{Value: "a"}, {Value: "b", Expiry: at(9)}, {Value: "c"}}, "b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := parse(t, "{"+test.keys+"}").ToParams()
			assert.Equal(t, test.want, p.AcceptedSDKKeys)
			assert.Equal(t, test.expiring, p.ExpiringSDKKey)
			assert.Equal(t, test.expiring == "", p.ExpiringSDKKeyTime.IsZero())
		})
	}
}

func TestToParamsAcceptedMobileKeys(t *testing.T) {
	p := parse(t, `{"mobKey":"a","mobileKeys":[{"key":"default","value":"a"},{"key":"old","value":"b","expiry":9}]}`).ToParams()
	assert.Equal(t, []AcceptedMobileKey{{Name: "default", Value: "a"}, {Name: "old", Value: "b", Expiry: at(9)}}, p.AcceptedMobileKeys)
	assert.Empty(t, parse(t, `{"mobKey":""}`).ToParams().AcceptedMobileKeys)
}

func TestToParamsKeepsAbsurdNumbersInRange(t *testing.T) {
	p := parse(t, `{"sdkKey":{"value":"a","expiring":{"value":"b","timestamp":18446744073709551615}},"defaultTtl":9223372036854775807}`).ToParams()
	assert.Equal(t, 9999, p.ExpiringSDKKeyTime.Year())
	assert.Equal(t, time.Duration(math.MaxInt64).Truncate(time.Minute), p.TTL)
	assert.Zero(t, parse(t, `{"defaultTtl":-1}`).ToParams().TTL)
}

func TestParamsAtATimeLeaveExpiredKeysOut(t *testing.T) {
	p := parse(t, `{"sdkKey":{"value":"a"},"sdkKeys":[{"value":"a"},{"value":"b","expiry":8},{"value":"c","expiry":9}],
		"mobKey":"m","mobileKeys":[{"value":"n","expiry":8},{"value":"m"}]}`).ToParams()
	sdkKeys := func(p EnvironmentParams) (keys []config.SDKKey) {
		for _, k := range p.AcceptedSDKKeys {
			keys = append(keys, k.Value)
		}
		return keys
	}
	assert.Equal(t, p, p.At(at(7)), "nothing has expired yet")
	assert.Equal(t, []config.SDKKey{"a", "c"}, sdkKeys(p.At(at(8))), "a key expires at its time, not after it")
	assert.Equal(t, config.SDKKey("c"), p.At(at(8)).ExpiringSDKKey)
	assert.Equal(t, []AcceptedMobileKey{{Value: "m"}}, p.At(at(8)).AcceptedMobileKeys)
	assert.Equal(t, []config.SDKKey{"a"}, sdkKeys(p.At(at(9))))
	assert.Empty(t, p.At(at(9)).ExpiringSDKKey)
	assert.Zero(t, p.At(at(9)).ExpiringSDKKeyTime)
	assert.Len(t, p.AcceptedSDKKeys, 3, "the original is untouched")
}

func TestFilterToParams(t *testing.T) {
	var rep FilterRep
	require.NoError(t, json.Unmarshal([]byte(`{"projKey":"web","key":"eu-only","version":3}`), &rep))
	assert.Equal(t, FilterParams{ID: "web.eu-only", Key: "eu-only", ProjKey: "web"}, rep.ToParams("web.eu-only"))
}

func TestAKeyThatHasExpiredGivesWayToTheNext(t *testing.T) {
	at := func(minutes int) time.Time { return time.Unix(0, 0).Add(time.Duration(minutes) * time.Minute) }
	p := EnvironmentParams{SDKKey: "main", ExpiringSDKKey: "first", ExpiringSDKKeyTime: at(1), AcceptedSDKKeys: []AcceptedSDKKey{
		{Value: "third", Expiry: at(3)}, {Value: "main"}, {Value: "first", Expiry: at(1)}, {Value: "second", Expiry: at(2)},
	}}
	for _, test := range []struct {
		name    string
		expired config.SDKKey
		next    config.SDKKey
		at      time.Time
		left    int
	}{
		{"the first", "first", "second", at(2), 3},
		{"another", "third", "first", at(1), 3},
		{"one that is not there", "other", "first", at(1), 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			after := p.WithoutSDKKey(test.expired)
			assert.Equal(t, test.next, after.ExpiringSDKKey)
			assert.Equal(t, test.at, after.ExpiringSDKKeyTime)
			assert.Len(t, after.AcceptedSDKKeys, test.left)
			assert.Len(t, p.AcceptedSDKKeys, 4, "the receiver stays as it is")
		})
	}
	p.AcceptedSDKKeys = p.AcceptedSDKKeys[1:3]
	assert.Zero(t, p.WithoutSDKKey("first").ExpiringSDKKeyTime, "none is left that expires")
}
