package change

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newTracker() (*Tracker, *[]Change) {
	var changes []Change
	return NewTracker(func(c Change) { changes = append(changes, c) }, func() time.Time { return now }), &changes
}

func environment(id, key string) envfactory.EnvironmentParams {
	return envfactory.EnvironmentParams{
		EnvID:           config.EnvironmentID(id),
		SDKKey:          config.SDKKey(key),
		AcceptedSDKKeys: []envfactory.AcceptedSDKKey{{Value: config.SDKKey(key)}},
	}
}

func TestAnUpdateCarriesWhatWasKnownBefore(t *testing.T) {
	tracker, changes := newTracker()
	tracker.AddEnvironment(environment("1", "sdk-1"))
	tracker.UpdateEnvironment(environment("1", "sdk-2"))
	tracker.DeleteEnvironment("1")
	assert.Equal(t, []Change{
		{Time: now, Kind: Added, Env: environment("1", "sdk-1")},
		{Time: now, Kind: Updated, Env: environment("1", "sdk-2"), Before: environment("1", "sdk-1")},
		{Time: now, Kind: Removed, Env: environment("1", "sdk-2")},
	}, *changes)
}

func TestReceivedAllCountsWhatThereIs(t *testing.T) {
	tracker, changes := newTracker()
	tracker.AddEnvironment(environment("2", "sdk-2"))
	tracker.AddEnvironment(environment("1", "sdk-1"))
	tracker.AddFilter(envfactory.FilterParams{ID: "b"})
	tracker.AddFilter(envfactory.FilterParams{ID: "a", Key: "k"})
	tracker.DeleteFilter("a")
	tracker.ReceivedAllEnvironments()
	last := (*changes)[len(*changes)-1]
	assert.Equal(t, Change{Time: now, Kind: ReceivedAll, Environments: 2, Filters: 1}, last)
	assert.Equal(t, config.FilterKey("k"), (*changes)[4].Filter.Key, "a removed filter is told as it was")

	tracker.AddFilter(envfactory.FilterParams{ID: "a"})
	snapshot, whole := tracker.Snapshot()
	assert.True(t, whole)
	one, two := environment("1", "sdk-1"), environment("2", "sdk-2")
	assert.Equal(t, Snapshot{
		Environments: []*envfactory.EnvironmentParams{&one, &two},
		Filters:      []envfactory.FilterParams{{ID: "a"}, {ID: "b"}},
	}, snapshot, "sorted by id")
}

func TestThereIsNoSnapshotInTheMiddleOfAPut(t *testing.T) {
	tracker, _ := newTracker()
	whole := func() bool { _, whole := tracker.Snapshot(); return whole }
	steps := []struct {
		name  string
		do    func()
		whole bool
	}{
		{"at first", func() {}, false},
		{"a change before the first put", func() { tracker.AddEnvironment(environment("1", "sdk-1")) }, false},
		{"the first put begins", func() { tracker.Changes(true, nil) }, false},
		{"its middle", func() { tracker.UpdateEnvironment(environment("1", "sdk-2")) }, false},
		{"its end", tracker.ReceivedAllEnvironments, true},
		{"a patch begins", func() { tracker.Changes(false, nil) }, true},
		{"its end", func() { tracker.AddEnvironment(environment("2", "sdk-1")) }, true},
		{"another put begins", func() { tracker.Changes(true, nil) }, false},
		{"its middle", func() { tracker.DeleteEnvironment("1") }, false},
		{"its end", tracker.ReceivedAllEnvironments, true},
	}
	for i, step := range steps {
		step.do()
		assert.Equal(t, step.whole, whole(), "step %d: %s", i, step.name)
	}
}

func TestASnapshotStaysAsItWas(t *testing.T) {
	tracker, _ := newTracker()
	env := environment("1", "sdk-1")
	env.AcceptedSDKKeys = append(env.AcceptedSDKKeys, envfactory.AcceptedSDKKey{Value: "sdk-old", Expiry: now})
	tracker.AddEnvironment(env)
	tracker.ReceivedAllEnvironments()
	snapshot, _ := tracker.Snapshot()
	tracker.KeyExpired("1", "sdk-old")
	tracker.UpdateEnvironment(environment("1", "sdk-2"))
	tracker.AddEnvironment(environment("2", "sdk-2"))
	assert.Equal(t, []*envfactory.EnvironmentParams{&env}, snapshot.Environments)
}

func TestAnExpiredKeyIsForgottenAndTheNextTakesItsPlace(t *testing.T) {
	tracker, changes := newTracker()
	env := environment("1", "sdk-1")
	env.AcceptedSDKKeys = append(env.AcceptedSDKKeys, envfactory.AcceptedSDKKey{Value: "sdk-old", Expiry: now},
		envfactory.AcceptedSDKKey{Value: "sdk-later", Expiry: now.Add(2 * time.Hour)},
		envfactory.AcceptedSDKKey{Value: "sdk-next", Expiry: now.Add(time.Hour)})
	env.ExpiringSDKKey, env.ExpiringSDKKeyTime = "sdk-old", now
	env.AcceptedMobileKeys = []envfactory.AcceptedMobileKey{{Value: "mob-old"}, {Value: "mob-new"}}
	tracker.AddEnvironment(env)
	tracker.KeyExpired("1", "sdk-old")
	tracker.MobileKeyExpired("1", "mob-old")

	tracker.ReceivedAllEnvironments()
	snapshot, _ := tracker.Snapshot()
	envs := snapshot.Environments
	assert.Equal(t, config.SDKKey("sdk-next"), envs[0].ExpiringSDKKey)
	assert.Equal(t, now.Add(time.Hour), envs[0].ExpiringSDKKeyTime)
	assert.Len(t, envs[0].AcceptedSDKKeys, 3)
	assert.Equal(t, []envfactory.AcceptedMobileKey{{Value: "mob-new"}}, envs[0].AcceptedMobileKeys)
	assert.Equal(t, env, (*changes)[0].Env, "what was passed on before does not change")
	assert.Equal(t, config.SDKKey("sdk-old"), env.AcceptedSDKKeys[1].Value)
	assert.Equal(t, config.SDKKey("sdk-old"), (*changes)[1].SDKKey)

	tracker.KeyExpired("unknown", "sdk-old")
	assert.Equal(t, config.EnvironmentID("unknown"), (*changes)[4].Env.EnvID)
}

func TestInterruptionsAndRecoveriesAreToldWithTheirReason(t *testing.T) {
	tracker, changes := newTracker()
	status := func(state autoconfig.State, at time.Duration, err *autoconfig.ErrorInfo) {
		tracker.Status(autoconfig.Status{State: state, StateSince: now.Add(at), LastError: err})
	}
	lost := &autoconfig.ErrorInfo{Message: "the line was cut", Time: now.Add(time.Second)}
	status(autoconfig.StateValid, 0, nil)
	status(autoconfig.StateInterrupted, time.Second, lost)
	status(autoconfig.StateValid, 3*time.Second, lost)
	status(autoconfig.StateInterrupted, 4*time.Second, lost) // asked to reconnect: the error is an old one
	status(autoconfig.StateOff, 5*time.Second, lost)
	require.Len(t, *changes, 3, "the first connection is no recovery, and the end is none either")
	assert.Equal(t, Change{Time: now, Kind: Interrupted, Reason: "the line was cut"}, (*changes)[0])
	assert.Equal(t, Change{Time: now, Kind: Recovered, Lost: 2 * time.Second}, (*changes)[1])
	assert.Contains(t, (*changes)[2].Reason, "the service asked for it or the key was changed")
}

func TestEachChangeHasAStableJSONForm(t *testing.T) {
	env := environment("1", "sdk-secret-key-0001")
	env.Identifiers = envfactory.EnvIdentifiers{EnvKey: "prod", EnvName: "<P>", ProjKey: "web", ProjName: "Web"}
	const id = `"environment":{"id":"1","projKey":"web","projName":"Web","envKey":"prod","envName":"<P>",`
	const rest = `"mobileKey":"","expiringSdkKey":null,"acceptedSdkKeys":[{"name":"","value":"KEY","expiry":null}],` +
		`"acceptedMobileKeys":[],"ttlSeconds":0,"secureMode":false}`
	whole := id + `"sdkKey":"KEY",` + rest
	renamed := env
	renamed.Identifiers.EnvName = "Q"
	tests := map[string]struct {
		change Change
		want   string
	}{
		"added":   {Change{Kind: Added, Env: env}, `"change":"added",` + whole},
		"removed": {Change{Kind: Removed, Env: env}, `"change":"removed",` + whole},
		"updated": {Change{Kind: Updated, Env: env, Before: renamed}, `"change":"updated",` + whole + `,` +
			strings.Replace(strings.Replace(whole, `"environment"`, `"before"`, 1), "<P>", "Q", 1) + `,"changed":["envName"]`},
		"expired":        {Change{Kind: KeyExpired, Env: env, SDKKey: "sdk-secret-key-0001"}, `"change":"key-expired",` + whole + `,"key":"KEY"`},
		"mobile expired": {Change{Kind: MobileKeyExpired, Env: env, MobileKey: "sdk-secret-key-0001"}, `"change":"mobile-key-expired",` + whole + `,"key":"KEY"`},
		"filter":         {Change{Kind: FilterAdded, Filter: envfactory.FilterParams{ID: "a", Key: "b", ProjKey: "c"}}, `"change":"filter-added","filter":{"id":"a","projKey":"c","key":"b"}`},
		"all":            {Change{Kind: ReceivedAll}, `"change":"received-all","environments":0,"filters":0,"source":"stream"`},
		"all from the cache": {Change{Kind: ReceivedAll, Environments: 2, Filters: 1, FromCache: true},
			`"change":"received-all","environments":2,"filters":1,"source":"cache"`},
		"cache": {Change{Kind: CacheLoaded, Environments: 2, Age: 90 * time.Second},
			`"change":"cache-loaded","environments":2,"ageSeconds":90`},
		"take-over":   {Change{Kind: StreamTookOver}, `"change":"stream-took-over"`},
		"keepalive":   {Change{Kind: KeepAlive}, `"change":"keepalive","comment":""`},
		"interrupted": {Change{Kind: Interrupted, Reason: "r"}, `"change":"interrupted","reason":"r"`},
		"left out":    {Change{Kind: LeftOut, Lines: 7}, `"change":"left-out","lines":7`},
		"recovered":   {Change{Kind: Recovered, Lost: 1500 * time.Millisecond}, `"change":"recovered","lostSeconds":1.5`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.change.Time = now
			want := `{"time":"2026-11-20T12:00:00.000Z",` + test.want + "}\n"
			assert.Equal(t, strings.ReplaceAll(want, "KEY", "sdk-secret-key-0001"), string(JSON(test.change, envjson.Whole)))
			assert.Equal(t, strings.ReplaceAll(want, "KEY", "…0001"), string(JSON(test.change, envjson.Masked)))
		})
	}
}

func TestChangedNamesEachFieldThatDiffers(t *testing.T) {
	before := environment("1", "sdk-1")
	tests := map[string]func(*envfactory.EnvironmentParams){
		"projKey":            func(p *envfactory.EnvironmentParams) { p.Identifiers.ProjKey = "x" },
		"projName":           func(p *envfactory.EnvironmentParams) { p.Identifiers.ProjName = "x" },
		"envKey":             func(p *envfactory.EnvironmentParams) { p.Identifiers.EnvKey = "x" },
		"envName":            func(p *envfactory.EnvironmentParams) { p.Identifiers.EnvName = "x" },
		"sdkKey":             func(p *envfactory.EnvironmentParams) { p.SDKKey = "x" },
		"mobileKey":          func(p *envfactory.EnvironmentParams) { p.MobileKey = "x" },
		"expiringSdkKey":     func(p *envfactory.EnvironmentParams) { p.ExpiringSDKKeyTime = now },
		"acceptedSdkKeys":    func(p *envfactory.EnvironmentParams) { p.AcceptedSDKKeys = nil },
		"acceptedMobileKeys": func(p *envfactory.EnvironmentParams) { p.AcceptedMobileKeys = []envfactory.AcceptedMobileKey{{}} },
		"ttlSeconds":         func(p *envfactory.EnvironmentParams) { p.TTL = time.Second },
		"secureMode":         func(p *envfactory.EnvironmentParams) { p.SecureMode = true },
	}
	for field, apply := range tests {
		after := before
		apply(&after)
		assert.Equal(t, []string{field}, changedFields(before, after))
	}
	assert.Empty(t, changedFields(before, before))
}

func TestDurationsAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 5 * time.Minute: "5m", 10 * time.Minute: "10m", time.Hour: "1h", 90 * time.Minute: "1h30m",
		time.Hour + time.Second: "1h0m1s", 100 * time.Millisecond: "100ms", 20 * time.Hour: "20h",
	} {
		assert.Equal(t, want, Duration(d))
	}
}

func TestOnlyChangesOfTheConfigurationAreForHooks(t *testing.T) {
	for kind, want := range map[Kind]bool{Added: true, KeyExpired: true, ReceivedAll: true, FilterRemoved: true,
		KeepAlive: false, Interrupted: false, Recovered: false, CacheLoaded: false, StreamTookOver: false, LeftOut: false} {
		assert.Equal(t, want, kind.OfConfiguration(), string(kind))
	}
}
