package autoconfigtest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

var webProduction = envfactory.EnvironmentParams{
	EnvID:       "5f1b0c7e0000000000000001",
	Identifiers: envfactory.EnvIdentifiers{ProjKey: "web", EnvKey: "production"},
	SDKKey:      "sdk-00000000-0000-4000-8000-000000000001",
}

func TestRecorderKeepsEveryKindOfCallInOrder(t *testing.T) {
	var r Recorder
	filter := envfactory.FilterParams{ID: "web.eu", Key: "eu", ProjKey: "web"}
	r.AddEnvironment(webProduction)
	r.UpdateEnvironment(webProduction)
	r.ReceivedAllEnvironments()
	r.DeleteEnvironment("env")
	r.KeyExpired("env", "sdk-secret-1234")
	r.MobileKeyExpired("env", "mob-secret-5678")
	r.AddFilter(filter)
	r.DeleteFilter("web.eu")
	r.KeepAlive(" hello")
	want := []Call{
		{Kind: AddEnvironment, ID: webProduction.EnvID, Params: webProduction},
		{Kind: UpdateEnvironment, ID: webProduction.EnvID, Params: webProduction},
		{Kind: ReceivedAllEnvironments},
		{Kind: DeleteEnvironment, ID: "env"},
		{Kind: KeyExpired, ID: "env", SDKKey: "sdk-secret-1234"},
		{Kind: MobileKeyExpired, ID: "env", MobileKey: "mob-secret-5678"},
		{Kind: AddFilter, FilterID: "web.eu", Filter: filter},
		{Kind: DeleteFilter, FilterID: "web.eu"},
		{Kind: KeepAlive, Comment: " hello"},
	}
	assert.Equal(t, want, r.Calls())

	var lines []string
	for _, call := range r.Calls() {
		lines = append(lines, call.String())
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", call, call, call), "secret", "a whole key is printed")
	}
	assert.Equal(t, []string{
		"AddEnvironment web/production",
		"UpdateEnvironment web/production",
		"ReceivedAllEnvironments",
		"DeleteEnvironment env",
		"KeyExpired env …34",
		"MobileKeyExpired env …78",
		"AddFilter web.eu",
		"DeleteFilter web.eu",
		`KeepAlive " hello"`,
	}, lines)
}

func TestRecorderNextGoesThroughTheCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecorder()
		go func() {
			for _, id := range []config.EnvironmentID{"a", "b", "c", "d"} {
				time.Sleep(time.Second)
				r.DeleteEnvironment(id)
			}
			r.ReceivedAllEnvironments()
		}()
		const timeout = 1500 * time.Millisecond
		assert.EqualValues(t, "a", r.Next(t, timeout).ID)
		assert.EqualValues(t, "c", r.WaitFor(t, time.Minute, func(c Call) bool { return c.ID == "c" }).ID)
		assert.EqualValues(t, "d", r.Next(t, timeout).ID, "the call after the match")
		r.WaitForKind(t, timeout, ReceivedAllEnvironments)
		assert.Len(t, r.Calls(), 5)
	})
}

func TestRecorderWaitsFailWithWhatWasSeen(t *testing.T) {
	tests := map[string]struct {
		wait func(*Recorder)
		want string
	}{
		"next": {
			func(r *Recorder) { r.Next(nil, time.Second); r.Next(nil, time.Second); r.Next(nil, time.Second) },
			"no further call came within 1s; the calls so far, of which the first 2 had been waited for before:\n" +
				"   1. AddEnvironment web/production\n   2. KeyExpired env …34",
		},
		"a match": {
			func(r *Recorder) { r.WaitFor(nil, time.Minute, func(Call) bool { return false }) },
			"no call came that matches within 1m0s; the calls so far, of which the first 0 had been waited for before:\n" +
				"   1. AddEnvironment web/production\n   2. KeyExpired env …34",
		},
		"a kind": {
			func(r *Recorder) { r.WaitForKind(nil, time.Second, DeleteFilter) },
			"no DeleteFilter call came within 1s",
		},
		"nothing at all": {
			func(*Recorder) { NewRecorder().Next(nil, time.Second) },
			"no further call came within 1s; there was no call at all",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := NewRecorder()
				r.AddEnvironment(webProduction)
				r.KeyExpired("env", "sdk-secret-1234")
				defer func() {
					message := fmt.Sprint(recover())
					assert.Contains(t, message, test.want)
					assert.NotContains(t, message, "secret")
				}()
				test.wait(r)
			})
		})
	}
}

// failing is a test that notes its failure. Its Fatalf returns, as a real one does not.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Helper()                      {}
func (f *failing) Fatalf(s string, args ...any) { f.message = fmt.Sprintf(s, args...) }

func TestWaitsFailTheTestThatTheyAreGiven(t *testing.T) {
	tb := &failing{}
	NewRecorder().Next(tb, time.Millisecond)
	require.Contains(t, tb.message, "no further call came within 1ms")
}
