package hubmodel

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relayconf/relayconf/hub"
)

// Stable environments are never removed, and stay in their project: no relay may ever lose one.
var stable = map[string]string{"a": "web", "b": "api", "e": "web", "f": "api", "g": "web", "h": "api"}

func isStable(id string) bool { return stable[id] != "" }

// The steps of a tree's history, besides pause.
type (
	treePatch  struct{ id, project string }
	treeDelete struct{ id string } // not of a stable one
	treePut    struct{ gone []string }
	treeDown   struct{ down bool }
	treeKill   struct {
		hub  int
		lost bool // its store, too
	}
	// A power cut: the service and hubs go, and these come back at once. No hub has saved the change that came just before.
	treePowerCut struct {
		changed string
		hubs    []int
	}
	treeRestart struct{ relay int }
	treeMove    struct{ relay, hub int }
)

func drawTreeStep(t *rapid.T) step {
	number := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "number") }
	id := func(from string) string { return string(from[number(len(from))]) }
	switch number(18) {
	case 16, 17:
		return treePowerCut{id("abefgh"), rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 4, rapid.ID).Draw(t, "hubs")}
	case 0, 1, 2, 3:
		return treePatch{id("abcdefgh"), []string{"web", "api"}[number(2)]}
	case 4:
		return treeDelete{id("cd")}
	case 5, 6:
		return treePut{rapid.SliceOfDistinct(rapid.SampledFrom([]string{"c", "d"}), rapid.ID).Draw(t, "gone")}
	case 7:
		return treeDown{true}
	case 8:
		return treeDown{false}
	case 9, 10:
		return treeKill{number(4), number(3) == 0}
	case 11:
		return treeRestart{number(4)}
	case 12, 13:
		return treeMove{number(4), number(4)}
	default:
		return pause{time.Duration(1+number(600)) * 100 * time.Millisecond}
	}
}

// TestATreeOfHubsBehindManagers plays histories with the parts of a real fleet: each hub is fed by a manager with a
// store, two of them by others, and its relays are built with autoconfig or with the client of existing relays.
func TestATreeOfHubsBehindManagers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		recent := rapid.SampledFrom([]int{1, 3, 1000}).Draw(rt, "recent")
		steps := rapid.SliceOfN(rapid.Custom(drawTreeStep), 1, 25).Draw(rt, "steps")
		var problem string
		synctest.Test(t, func(*testing.T) { problem = playTree(recent, steps) })
		if problem != "" {
			var text strings.Builder
			for i, s := range steps {
				fmt.Fprintf(&text, "%4d. %T%+v\n", i+1, s, s)
			}
			rt.Fatalf("%s\nRecent past: %d events. The history is\n%s", problem, recent, &text)
		}
	})
}

// tree is a service, two hubs that follow it, a hub behind the first of these and another one behind that.
type tree struct {
	*service
	version   int
	hubs      []*treeHub
	followers []*follower
	plain     []*plain
}

func playTree(recent int, steps []step) string {
	w := &tree{service: newService()}
	follows := func(ctx context.Context) (net.Conn, error) { return w.service.dial(ctx) }
	option := hub.WithRecentPast(recent, 1<<20)
	w.hubs = append(w.hubs, newTreeHub(0, nil, follows, option), newTreeHub(1, nil, follows, option))
	w.hubs = append(w.hubs, newTreeHub(2, w.hubs[0], nil, option))
	w.hubs = append(w.hubs, newTreeHub(3, w.hubs[2], nil, option))
	for i, key := range []string{"rel-all", "rel-web", "rel-api", "rel-all"} {
		w.followers = append(w.followers, newFollower(key, w.hubs[i]))
	}
	w.plain = []*plain{newPlain("rel-web", w.hubs[3]), newPlain("rel-all", w.hubs[2])}
	defer w.close()
	for i, s := range steps {
		w.step(s)
		synctest.Wait()
		if problem := w.check(); problem != "" {
			return fmt.Sprintf("after step %d: %s", i+1, problem)
		}
	}
	w.setDown(false)
	time.Sleep(5 * time.Minute) // more than the longest wait of each hub, one after the other
	synctest.Wait()
	return w.check() + w.checkEnd()
}

func (w *tree) close() {
	for _, f := range w.followers {
		f.close()
	}
	for _, p := range w.plain {
		p.close()
	}
	for _, h := range slices.Backward(w.hubs) {
		h.close()
	}
	_ = w.Server.Close()
}

func (w *tree) step(s step) {
	switch s := s.(type) {
	case treePatch:
		if project := stable[s.id]; project != "" {
			s.project = project
		}
		w.change(func() string {
			w.version++
			k := known{version: w.version, project: s.project}
			w.conf[s.id] = k
			return fmt.Sprintf("event: patch\ndata: {\"path\":\"/environments/%s\",\"data\":%s}\n\n", s.id, k.text(s.id))
		})
	case treeDelete:
		w.change(func() string {
			w.version++
			delete(w.conf, s.id)
			return fmt.Sprintf("event: delete\ndata: {\"path\":\"/environments/%s\",\"version\":%d}\n\n", s.id, w.version)
		})
	case treePut:
		w.change(func() string {
			for _, id := range s.gone {
				delete(w.conf, id)
			}
			return ""
		})
	case treeDown:
		w.setDown(s.down)
	case treePowerCut:
		w.step(treePatch{id: s.changed})
		synctest.Wait()
		w.setDown(true)
		for _, at := range s.hubs {
			w.hubs[at].restart(false)
		}
	case treeKill:
		w.hubs[s.hub].restart(s.lost)
	case treeRestart:
		w.followers[s.relay].restart()
	case treeMove:
		if to := w.hubs[s.hub]; to.upToDate() {
			w.followers[s.relay].move(to)
		}
	case pause:
		time.Sleep(s.d)
	default:
		panic(fmt.Sprintf("%T does not happen", s))
	}
}

// check returns a breach of the rules that hold at any time, or nothing.
func (w *tree) check() string {
	for i, f := range w.followers {
		if problem := f.problem(); problem != "" {
			return problem
		}
		have, digest := f.has()
		if digest == "" {
			continue
		}
		for at, h := range w.hubs {
			view := h.view(f.key)
			if same := maps.Equal(have, view.Environments); same != (digest == view.Digest) {
				return fmt.Sprintf("relay %d and hub %d have %v and %v, and digests %s and %s", i, at, have, view.Environments,
					digest, view.Digest)
			}
		}
	}
	return ""
}

// checkEnd returns a breach of the rules that hold when all have come to rest, or nothing.
func (w *tree) checkEnd() string {
	for i, h := range w.hubs {
		if got, want := h.view("rel-all").Environments, w.conf.live(""); !maps.Equal(got, want) || !h.Status().Source.Confirmed() {
			return fmt.Sprintf("in the end, hub %d has %v by %+v; the service has %v", i, got, h.Status().Source, want)
		}
	}
	for i, f := range w.followers {
		if got, _ := f.has(); !maps.Equal(got, w.conf.live(keys[f.key])) {
			return fmt.Sprintf("in the end, relay %d (%s) has %v; the service has %v; %+v", i, f.key, got, w.conf, f.manager.Status())
		}
	}
	for i, p := range w.plain {
		if got := p.live(); !maps.Equal(got, w.conf.live(keys[p.relay.key])) {
			return fmt.Sprintf("in the end, existing relay %d (%s) has %v; the service has %v", i, p.relay.key, got, w.conf)
		}
	}
	return ""
}
