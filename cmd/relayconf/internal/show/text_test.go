package show

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

var (
	now    = time.Date(2026, 11, 20, 12, 0, 1, 0, time.UTC)
	y2100  = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	before = envfactory.EnvironmentParams{
		EnvID:       "5f1b0c7e0000000000000002",
		Identifiers: envfactory.EnvIdentifiers{EnvKey: "staging", EnvName: "A", ProjKey: "web", ProjName: "Web shop"},
		SDKKey:      "sdk-00000000-0000-4000-8000-000000000002",
		MobileKey:   "mob-00000000-0000-4000-8000-000000000022",
		AcceptedSDKKeys: []envfactory.AcceptedSDKKey{
			{Name: "default", Value: "sdk-00000000-0000-4000-8000-000000000002"},
		},
		AcceptedMobileKeys: []envfactory.AcceptedMobileKey{
			{Name: "default", Value: "mob-00000000-0000-4000-8000-000000000022"},
		},
		TTL: 5 * time.Minute,
	}
)

func with(apply func(*envfactory.EnvironmentParams)) envfactory.EnvironmentParams {
	env := before
	apply(&env)
	return env
}

func TestEachChangeIsALine(t *testing.T) {
	const oldKey = "sdk-00000000-0000-4000-8000-000000000002"
	updated := func(apply func(*envfactory.EnvironmentParams)) change.Change {
		return change.Change{Kind: change.Updated, Before: before, Env: with(apply)}
	}
	filter := envfactory.FilterParams{ID: "web.eu-only", Key: "eu-only", ProjKey: "web"}
	tests := map[string]struct {
		change change.Change
		want   string
	}{
		"added": {change.Change{Kind: change.Added, Env: with(func(p *envfactory.EnvironmentParams) {
			p.SecureMode = true
		})}, `added    web/staging "A" (5f1b…0002)  key …0002, mobile key …0022, TTL 5m, secure mode`},
		"added with more keys": {change.Change{Kind: change.Added, Env: with(func(p *envfactory.EnvironmentParams) {
			p.MobileKey = ""
			p.AcceptedMobileKeys = nil
			p.AcceptedSDKKeys = append(p.AcceptedSDKKeys[:1:1],
				envfactory.AcceptedSDKKey{Name: "batch", Value: "sdk-000000000000ff", Expiry: y2100})
		})}, `added    web/staging "A" (5f1b…0002)  key …0002, also accepted …00ff ("batch") expires 2100-01-01T00:00:00Z, TTL 5m`},
		"added without names": {change.Change{Kind: change.Added, Env: envfactory.EnvironmentParams{
			EnvID: "5f1b0c7e0000000000000002", SDKKey: oldKey}},
			`added    5f1b0c7e0000000000000002  key …0002, TTL 0s`},
		"key rotated": {updated(func(p *envfactory.EnvironmentParams) {
			p.SDKKey = "sdk-000000000000b2"
			p.AcceptedSDKKeys = []envfactory.AcceptedSDKKey{{Value: "sdk-000000000000b2"}, {Value: oldKey, Expiry: y2100}}
			p.Identifiers.EnvName, p.TTL = "B", 0
		}), `updated  web/staging: key rotated …00b2, old key …0002 expires 2100-01-01T00:00:00Z; name "A" -> "B"; TTL 5m -> 0s`},
		"key replaced at once": {updated(func(p *envfactory.EnvironmentParams) {
			p.SDKKey = "sdk-000000000000b2"
			p.AcceptedSDKKeys = []envfactory.AcceptedSDKKey{{Value: "sdk-000000000000b2"}}
		}), `updated  web/staging: key rotated …00b2, old key …0002 no longer accepted`},
		"keys added": {updated(func(p *envfactory.EnvironmentParams) {
			p.AcceptedSDKKeys = append(p.AcceptedSDKKeys[:1:1], envfactory.AcceptedSDKKey{Name: "batch", Value: "sdk-000000000000ff"})
			p.AcceptedMobileKeys = append(p.AcceptedMobileKeys[:1:1],
				envfactory.AcceptedMobileKey{Name: "old", Value: "mob-000000000000fe", Expiry: y2100})
		}), `updated  web/staging: accepted key added …00ff ("batch") does not expire; ` +
			`accepted mobile key added …00fe ("old") expires 2100-01-01T00:00:00Z`},
		"mobile key gone": {updated(func(p *envfactory.EnvironmentParams) {
			p.MobileKey, p.AcceptedMobileKeys = "", nil
		}), `updated  web/staging: mobile key removed …0022`},
		"secure mode and project": {updated(func(p *envfactory.EnvironmentParams) {
			p.SecureMode = true
			p.Identifiers.ProjKey, p.Identifiers.ProjName, p.Identifiers.EnvKey = "app", "App", "test"
		}), `updated  app/test: environment key "staging" -> "test"; project name "Web shop" -> "App"; ` +
			`project key "web" -> "app"; secure mode on`},
		"nothing":        {updated(func(*envfactory.EnvironmentParams) {}), `updated  web/staging: nothing that can be seen`},
		"removed":        {change.Change{Kind: change.Removed, Env: before}, `removed  web/staging "A" (5f1b…0002)`},
		"expired":        {change.Change{Kind: change.KeyExpired, Env: before, SDKKey: oldKey}, `expired  key …0002 of web/staging`},
		"mobile expired": {change.Change{Kind: change.MobileKeyExpired, Env: before, MobileKey: "mob-000000000009"}, `expired  mobile key …0009 of web/staging`},
		"filter added":   {change.Change{Kind: change.FilterAdded, Filter: filter}, `added    filter eu-only of project web (web.eu-only)`},
		"filter removed": {change.Change{Kind: change.FilterRemoved, Filter: filter}, `removed  filter eu-only of project web (web.eu-only)`},
		"all":            {change.Change{Kind: change.ReceivedAll, Environments: 3}, `received all: 3 environments`},
		"all with one":   {change.Change{Kind: change.ReceivedAll, Environments: 1, Filters: 2}, `received all: 1 environment, 2 filters`},
		"all from the cache": {change.Change{Kind: change.ReceivedAll, Environments: 2, FromCache: true},
			`received all from the cache: 2 environments`},
		"cache": {change.Change{Kind: change.CacheLoaded, Environments: 3, Age: 150 * time.Second},
			`started from the cache: 3 environments, confirmed 2m ago`},
		"take-over":      {change.Change{Kind: change.StreamTookOver}, `the stream has taken over from the cache`},
		"keepalive":      {change.Change{Kind: change.KeepAlive}, `keepalive`},
		"comment":        {change.Change{Kind: change.KeepAlive, Comment: " hello\x1b[2J"}, `keepalive hello�[2J`},
		"interrupted":    {change.Change{Kind: change.Interrupted, Reason: "EOF"}, `interrupted: EOF`},
		"left out":       {change.Change{Kind: change.LeftOut, Lines: 7}, `left out: 7 lines, as standard output was not read in time`},
		"recovered":      {change.Change{Kind: change.Recovered, Lost: 1234 * time.Millisecond}, `recovered after 1.2s`},
		"recovered late": {change.Change{Kind: change.Recovered, Lost: 2 * time.Hour}, `recovered after 2h`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.change.Time = now
			assert.Equal(t, "2026-11-20T12:00:01Z  "+test.want+"\n", Text{}.Line(test.change))
		})
	}
}

func TestTimesAreInUTC(t *testing.T) {
	removed := change.Change{Time: now.In(time.FixedZone("", 5*60*60)), Kind: change.Removed, Env: before}
	assert.Contains(t, Text{}.Line(removed), "2026-11-20T12:00:01Z  removed")
	assert.Contains(t, Text{Layout: ClockOnly}.Line(removed), "12:00:01Z  removed")
}

func TestNothingInALineSteersATerminal(t *testing.T) {
	const evil = "a\x1b[2J\u009b2J\x7f\u202e\u2066z"
	env := envfactory.EnvironmentParams{EnvID: evil, SDKKey: evil, MobileKey: evil,
		Identifiers:     envfactory.EnvIdentifiers{EnvKey: evil, EnvName: evil, ProjKey: evil, ProjName: evil},
		AcceptedSDKKeys: []envfactory.AcceptedSDKKey{{Name: evil, Value: evil}, {Name: evil, Value: evil + "\x1b"}}}
	other := env
	other.SDKKey, other.MobileKey, other.Identifiers.EnvName, other.AcceptedSDKKeys = "\u009b", "\u009b", "\u202e", nil
	filter := envfactory.FilterParams{ID: evil, Key: evil, ProjKey: evil}
	for _, c := range []change.Change{
		{Kind: change.Added, Env: env},
		{Kind: change.Added, Env: envfactory.EnvironmentParams{EnvID: evil}},
		{Kind: change.Updated, Before: env, Env: other},
		{Kind: change.Updated, Before: other, Env: env},
		{Kind: change.Removed, Env: env},
		{Kind: change.KeyExpired, Env: env, SDKKey: evil + "\x1b"},
		{Kind: change.MobileKeyExpired, Env: env, MobileKey: evil + "\u202e"},
		{Kind: change.FilterAdded, Filter: filter},
		{Kind: change.FilterRemoved, Filter: filter},
		{Kind: change.KeepAlive, Comment: evil},
		{Kind: change.Interrupted, Reason: evil},
	} {
		line := strings.TrimSuffix(Text{}.Line(c), "\n")
		steers := func(r rune) bool { return !unicode.IsPrint(r) }
		assert.False(t, strings.ContainsFunc(line, steers), "%s: %+q", c.Kind, line)
	}
}

func TestAgesHaveOneUnit(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0: "less than 1s", 999 * time.Millisecond: "less than 1s", 1900 * time.Millisecond: "1s", 59 * time.Second: "59s",
		time.Minute: "1m", 119 * time.Second: "1m", time.Hour: "1h", 47*time.Hour + 59*time.Minute: "47h",
		48 * time.Hour: "2 days", 1000 * time.Hour: "41 days",
	} {
		assert.Equal(t, want, Age(age))
	}
}

func TestColourIsByChoice(t *testing.T) {
	removed := change.Change{Time: now, Kind: change.Removed, Env: before}
	assert.NotContains(t, Text{}.Line(removed), "\x1b")
	assert.Contains(t, Text{Colour: true}.Line(removed), "\x1b[31mremoved")
	assert.Contains(t, Text{Layout: ClockOnly}.Line(removed), "12:00:01Z  removed")
	assert.NotContains(t, Text{Layout: ClockOnly}.Line(removed), "2026")
}

func TestTextNeverShowsAWholeKey(t *testing.T) {
	env := with(func(p *envfactory.EnvironmentParams) {
		p.SDKKey, p.MobileKey = "sdk-secret-one", "mob-secret-two"
		p.AcceptedSDKKeys = []envfactory.AcceptedSDKKey{{Value: "sdk-secret-one"}, {Name: "x", Value: "sdk-secret-six", Expiry: y2100}}
		p.AcceptedMobileKeys = []envfactory.AcceptedMobileKey{{Value: "mob-secret-two"}, {Value: "mob-secret-ten"}}
	})
	for _, c := range []change.Change{
		{Kind: change.Added, Env: env},
		{Kind: change.Updated, Before: before, Env: env},
		{Kind: change.Updated, Before: env, Env: before},
		{Kind: change.Removed, Env: env},
		{Kind: change.KeyExpired, Env: env, SDKKey: "sdk-secret-one"},
		{Kind: change.MobileKeyExpired, Env: env, MobileKey: config.MobileKey("mob-secret-two")},
	} {
		assert.NotContains(t, Text{}.Line(c), "secret")
	}
}
