//go:build linux && servers

package hubs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThreeHubsAndThirtyRelaysAreOneFleet(t *testing.T) {
	t.Parallel()
	began := time.Now()
	step := func(what string) { t.Logf("%5.1f s %s", time.Since(began).Seconds(), what) }
	step("the fleet starts")
	redis := startRedis(t)
	f := newFleet(t, urlOf(redis.Addr()), 3, 30)
	step("each hub shows each relay once, at its hub")
	f.waitForWhole(t, f.hubs...)
	f.watch(t)
	f.requireSameLists(t)
	step("a relay of another hub is shown, and called")
	f.requireRelaysOfOtherHubsAnswer(t)
	step("a key is rotated, and two relays are late")
	f.requireWaitForTheLastRelay(t)
	step("a hub is killed, and comes back")
	f.requireAKilledHubIsMissed(t)
	step("a hub is killed, and forgotten")
	f.requireAForgottenHubIsNotMissed(t)
	step("a hub ends in order")
	f.requireAHubThatEndsIsNotMissed(t)
	step("done")
}

// requireSameLists compares the output of fleet list for each hub with the relays as they are.
func (f *fleet) requireSameLists(t *testing.T) {
	t.Helper()
	for _, h := range f.hubs {
		h.runUntil(t, 0, func(stdout, _ string) error {
			var l listing
			require.NoError(t, json.Unmarshal([]byte(stdout), &l))
			assert.Equal(t, h.name, l.Hub)
			if len(l.Hubs) != len(f.hubs) {
				return fmt.Errorf("it shows %d hubs", len(l.Hubs))
			}
			return f.shown(l) // the same for each hub
		}, "list", "--format", "json")
	}
}

// elsewhere returns a relay that has its link to another hub than this one.
func (f *fleet) elsewhere(t *testing.T, here *hub) *relay {
	t.Helper()
	for _, r := range f.relays {
		if at, there := r.at(aLink); there && f.hubs[at] != here {
			return r
		}
	}
	require.FailNow(t, "every relay has its link to "+here.name)
	return nil
}

func (f *fleet) requireRelaysOfOtherHubsAnswer(t *testing.T) {
	t.Helper()
	for _, h := range f.hubs {
		r := f.elsewhere(t, h)
		h.runUntil(t, 0, func(stdout, _ string) error {
			assert.Contains(t, stdout, string(f.environment().EnvID))
			assert.Contains(t, stdout, fmt.Sprintf(`"…%04d"`, f.version), "with its key masked")
			return nil
		}, "call", r.name, "list-environments")
		at, _ := r.at(aLink)
		h.runUntil(t, 0, saying(`(?s)\nsync: +in sync\n.*\nhub: +`+f.hubs[at].name+`\n`), "show", r.name)
		// An error of the relay, too, comes back.
		h.runUntil(t, 1, saying("LOG_LEVEL"), "call", r.name, "set-log-level", "debug")
	}
}

// requireWaitForTheLastRelay rotates the key while one relay has stopped, and another one has no stream.
func (f *fleet) requireWaitForTheLastRelay(t *testing.T) {
	t.Helper()
	here, last := f.hubs[0], len(f.relays)-1
	stopped := f.elsewhere(t, here)
	apart, others := f.relays[last], f.relays[:last]
	others = slices.DeleteFunc(slices.Clone(others), func(r *relay) bool { return r == stopped })
	apart.shut(true, aStream)
	stopped.stop(t)
	f.rotate()
	waiting := here.begin(t, f.wait(time.Hour)...)
	f.waitForRelays(t, others)
	here.runUntil(t, missing, saying(fmt.Sprintf( // after some time its hub takes a relay that does not answer for lost
		"%d of %d relays have applied it; missing:\n  %s (has yet to say which version it has|is not connected.*)\n  %s has version %d of the environment\n",
		len(others), len(f.relays), stopped.name, apart.name, f.version-1)), f.wait(2*time.Second)...)
	stopped.signal(t, syscall.SIGCONT)
	f.waitForRelays(t, []*relay{stopped})
	here.runUntil(t, missing, saying(fmt.Sprintf("%d of %d relays have applied it; missing:\n  %s ", last, len(f.relays), apart.name)),
		f.wait(2*time.Second)...)
	select {
	case <-waiting.ended:
		require.FailNow(t, "wait has ended", "%s%s", &waiting.stdout, &waiting.stderr)
	default:
	}
	apart.shut(false, aStream)
	require.Equal(t, applied, waiting.exit(t), "%s%s", &waiting.stdout, &waiting.stderr)
	assert.Equal(t, fmt.Sprintf("All %d relays have applied it.\n", len(f.relays)), waiting.stdout.String())
	f.waitForRelays(t, f.relays)
}

// requireNoHubSaysYes waits at hubs, again and again, until the end is called. None may say that all have applied it.
func (f *fleet) requireNoHubSaysYes(t *testing.T, hubs ...*hub) (end func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan string, len(hubs))
	args := f.wait(time.Second)
	for _, h := range hubs {
		go func() {
			codes := ""
			for {
				p := h.begin(t, args...)
				<-p.ended
				code := p.cmd.ProcessState.ExitCode()
				codes += fmt.Sprint(" ", code)
				if code != missing && code != inconclusive {
					codes += " which is wrong: " + p.stdout.String() + p.stderr.String()
				}
				select {
				case <-done:
					ended <- codes
					return
				default:
				}
			}
		}()
	}
	return func() {
		t.Helper()
		close(done)
		for range hubs {
			codes := <-ended
			assert.NotContains(t, codes, "wrong")
			t.Log("exit codes of wait:", codes)
		}
	}
}

// requireAKilledHubIsMissed kills a hub. Its relays move at once; that the others have heard of all its relays is not
// certain until it is back. It stops before its relays lose it, so that it can't tell that they have gone.
func (f *fleet) requireAKilledHubIsMissed(t *testing.T) {
	t.Helper()
	killed := f.hubs[2]
	killed.stop(t)
	for _, r := range f.relays {
		if at, _ := r.at(aLink); at == 2 {
			r.shut(true, aStream, aLink)
		}
	}
	killed.kill(t)
	end := f.requireNoHubSaysYes(t, f.hubs[:2]...)
	f.hubs[0].runUntil(t, inconclusive, saying(""), f.wait(2*time.Second)...)
	for _, r := range f.relays {
		r.shut(false, aStream, aLink)
	}
	for _, h := range f.hubs[:2] {
		h.waitForList(t, func(l listing) error { return f.moved(killed, l) })
	}
	end()
	killed.start(t)
	killed.serves(t)
	for _, h := range f.hubs {
		h.run(t, applied, f.wait(soon)...)
	}
	f.waitForWhole(t, f.hubs...)
}

// moved checks that all relays are shown at other hubs than this one.
func (f *fleet) moved(from *hub, l listing) error {
	elsewhere := 0
	for _, r := range l.Relays {
		if r.Connected && r.Hub != from.name {
			elsewhere++
		}
	}
	if elsewhere < len(f.relays) {
		return fmt.Errorf("%d relays are connected elsewhere", elsewhere)
	}
	return nil
}

// requireAForgottenHubIsNotMissed kills a hub. It is missed until an operator has it forgotten.
func (f *fleet) requireAForgottenHubIsNotMissed(t *testing.T) {
	t.Helper()
	killed, here, there := f.hubs[0], f.hubs[1], f.hubs[2]
	killed.kill(t)
	here.waitForList(t, func(l listing) error {
		if l.Complete || !strings.Contains(l.Incomplete, "forget --hub "+killed.name) {
			return errors.New("it does not say that the hub is missing")
		}
		return nil
	})
	here.runUntil(t, inconclusive, saying(""), f.wait(2*time.Second)...)
	here.run(t, 0, "forget", "--hub", killed.name)
	for _, h := range []*hub{here, there} {
		h.run(t, applied, f.wait(soon)...)
	}
	f.waitForWhole(t, here, there)
	killed.start(t)
	killed.serves(t)
	f.waitForWhole(t, f.hubs...)
}

func (f *fleet) requireAHubThatEndsIsNotMissed(t *testing.T) {
	t.Helper()
	ending := f.hubs[1]
	ending.signal(t, syscall.SIGTERM)
	require.Equal(t, 0, ending.exit(t))
	for _, h := range []*hub{f.hubs[0], f.hubs[2]} {
		h.run(t, applied, f.wait(soon)...)
		f.waitForWhole(t, h)
	}
	ending.start(t)
	ending.serves(t)
	f.waitForWhole(t, f.hubs...)
}
