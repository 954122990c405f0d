//go:build linux && servers

package hubs

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/faults/rig"
	"github.com/relayconf/relayconf/internal/freeport"
	"github.com/relayconf/relayconf/internal/redistest"
)

const (
	theKey        = "rel-00000000-0000-4000-8000-00000000c0de"
	redisPassword = "hunter2-hunter2"
	withPassword  = "requirepass " + redisPassword // a line of Redis' configuration
)

// fleet is a service, hubs that follow it and share Redis, and relays that reach the hubs through balancers.
type fleet struct {
	service *autoconfigtest.Server
	version int
	hubs    []*hub
	relays  []*relay
}

// hub is a hub, which may be started more than once.
type hub struct {
	*process
	name, addr, admin string
	variables, args   []string
}

// relay is a relay, and its balancer.
type relay struct {
	*process
	*balancer
}

// newFleet starts a fleet, and returns when every relay has the configuration and a link.
func newFleet(t *testing.T, redisURL string, hubs, relays int) *fleet {
	t.Helper()
	f := &fleet{service: autoconfigtest.NewServer(t), version: 1}
	f.service.Put(autoconfigtest.MakePut(f.environment()))
	var addrs []string
	for i := range hubs {
		f.addHub(t, fmt.Sprintf("hub-%c", 'a'+i), redisURL)
		addrs = append(addrs, f.hubs[i].addr)
	}
	for _, h := range f.hubs {
		h.serves(t)
	}
	for i := range relays {
		b := newBalancer(t, i, addrs)
		name := fmt.Sprintf("relay-%02d", i)
		p := start(t, name, relayProgram, []string{"STREAM_URI=http://" + b.addr(), "AUTO_CONFIG_KEY=" + theKey},
			"watch", "--format", "json", "--link", "ws://"+b.addr()+"/link", "--name", name)
		f.relays = append(f.relays, &relay{p, b})
	}
	f.waitForRelays(t, f.relays)
	for _, r := range f.relays {
		require.Eventually(t, func() bool { return strings.Contains(r.stderr.String(), "Linked to the hub") }, soon, poll, r.name)
	}
	return f
}

func (f *fleet) addHub(t *testing.T, name, redisURL string) {
	t.Helper()
	h := &hub{name: name, addr: freeport.Address(t), admin: freeport.Address(t)}
	h.variables = []string{"STREAM_URI=" + f.service.URL, "AUTO_CONFIG_KEY=" + theKey, "FLEET_REDIS_URL=" + redisURL}
	h.args = []string{"serve", "--name", name, "--addr", h.addr, "--admin-addr", h.admin, "--log-format", "json",
		"--drain-delay", "0s", "--drain-time", "1s"}
	f.hubs = append(f.hubs, h)
	h.start(t)
}

// start starts the hub, or starts it again.
func (h *hub) start(t *testing.T) {
	t.Helper()
	h.process = start(t, h.name, hubProgram, h.variables, h.args...)
}

func (h *hub) serves(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(h.stderr.String(), "Serving the configuration") }, soon, poll, h.name)
}

// environment is the environment of the present version, which its name says.
func (f *fleet) environment() envfactory.EnvironmentRep {
	rep := rig.Environment(1, f.version)
	rep.SDKKey.Value = config.SDKKey(fmt.Sprintf("sdk-00000000-0000-4000-8000-%012d", f.version))
	return rep
}

// rotate gives the environment another key, at the next version.
func (f *fleet) rotate() {
	f.version++
	f.service.Patch(f.environment())
}

// waitForRelays waits until each relay has told its handler of the present version, and returns how long that took.
func (f *fleet) waitForRelays(t *testing.T, relays []*relay) time.Duration {
	t.Helper()
	began := time.Now()
	want := fmt.Sprintf(`"envName":"version %d"`, f.version)
	for _, r := range relays {
		require.Eventually(t, func() bool { return strings.Contains(r.stdout.String(), want) }, soon, poll, "%s never has %s", r.name, want)
	}
	return time.Since(began)
}

// listing is the fleet as a hub shows it.
type listing struct {
	Hub        string
	Complete   bool
	Incomplete string
	Hubs       []struct {
		Name      string
		Connected bool
	}
	Relays []listedRelay
}

type listedRelay struct {
	Name, Hub                string
	Connected, Agent, InSync bool
}

var admin = http.Client{Timeout: 10 * time.Second}

// list asks a hub which relays there are.
func (h *hub) list() (l listing, err error) {
	response, err := admin.Get("http://" + h.admin + "/fleet/relays")
	if err != nil {
		return l, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return l, errors.New(response.Status)
	}
	err = json.NewDecoder(response.Body).Decode(&l)
	return l, err
}

// waitForList waits until a hub shows the fleet so that the check has nothing to say against it.
func (h *hub) waitForList(t *testing.T, check func(listing) error) {
	t.Helper()
	var l listing
	var problem error
	for deadline := time.Now().Add(soon); ; time.Sleep(poll) {
		if l, problem = h.list(); problem == nil {
			problem = check(l)
		}
		if problem == nil {
			return
		}
		require.True(t, time.Now().Before(deadline), "%s: %v: %+v", h.name, problem, l)
	}
}

// shown checks that a hub shows exactly the relays of the fleet: each once, in sync, at the hub that its link is to.
func (f *fleet) shown(l listing) error {
	if !l.Complete {
		return errors.New("it is incomplete: " + l.Incomplete)
	}
	if len(l.Relays) != len(f.relays) {
		return fmt.Errorf("it shows %d relays", len(l.Relays))
	}
	for i, r := range l.Relays {
		want := f.relays[i]
		at, there := want.at(aLink)
		switch {
		case r.Name != want.name:
			return fmt.Errorf("it shows %s instead of %s", r.Name, want.name)
		case !r.Connected || !r.Agent || !r.InSync:
			return fmt.Errorf("%s is not connected, or not in sync", r.Name)
		case !there || r.Hub != f.hubs[at].name:
			return fmt.Errorf("%s is shown at %s, and has its link to %s: %t", r.Name, r.Hub, f.hubs[at].name, there)
		}
	}
	return nil
}

// waitForWhole waits until each of the hubs shows all relays as they are.
func (f *fleet) waitForWhole(t *testing.T, hubs ...*hub) {
	t.Helper()
	for _, h := range hubs {
		h.waitForList(t, f.shown)
	}
}

// run runs a command of fleet to its end, and returns its output.
func (h *hub) run(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	p := h.begin(t, args...)
	got := p.exit(t)
	require.Equal(t, code, got, "%s: %s%s", args, &p.stdout, &p.stderr)
	return p.stdout.String(), p.stderr.String()
}

// runUntil runs a command of fleet again and again until it ends with this code and the check has nothing to say against its
// output: on a slow machine news may be late. A wait that is not to succeed must not do so even once.
func (h *hub) runUntil(t *testing.T, code int, check func(stdout, stderr string) error, args ...string) {
	t.Helper()
	for deadline := time.Now().Add(soon); ; time.Sleep(poll) {
		p := h.begin(t, args...)
		got := p.exit(t)
		var problem error
		if got == code {
			problem = check(p.stdout.String(), p.stderr.String())
		} else {
			problem = fmt.Errorf("it has ended with %d instead of %d", got, code)
		}
		if problem == nil {
			return
		}
		require.False(t, args[0] == "wait" && got == applied, "%s has said yes: %s", args, &p.stdout)
		require.True(t, time.Now().Before(deadline), "%s: %s: %v: %s%s", h.name, args, problem, &p.stdout, &p.stderr)
	}
}

// saying is a check that all of the output of a command is as the pattern.
func saying(pattern string) func(stdout, stderr string) error {
	expression := regexp.MustCompile(pattern)
	return func(stdout, stderr string) error {
		if !expression.MatchString(stdout + stderr) {
			return fmt.Errorf("it does not say %s", pattern)
		}
		return nil
	}
}

// begin starts a command of fleet.
func (h *hub) begin(t *testing.T, args ...string) *process {
	t.Helper()
	return start(t, "fleet", relayProgram, nil, append([]string{"fleet", "--admin-addr", h.admin}, args...)...)
}

// The exit codes of fleet wait.
const (
	applied      = 0
	missing      = 7
	inconclusive = 8
)

// wait returns the command that waits for the present version of the environment. It says how many relays there are, since
// the hubs of a new fleet do not know whom to expect for a minute.
func (f *fleet) wait(timeout time.Duration, more ...string) []string {
	return append([]string{"wait", "--environment", string(f.environment().EnvID), "--version", fmt.Sprint(f.version),
		"--timeout", timeout.String(), "--min", fmt.Sprint(len(f.relays))}, more...)
}

func startRedis(t *testing.T) *redistest.Server {
	t.Helper()
	return redistest.Start(t, withPassword)
}

func urlOf(addr string) string { return fmt.Sprintf("redis://:%s@%s/0", redisPassword, addr) }
