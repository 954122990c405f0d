package hubmodel

import (
	"context"
	"fmt"
	"maps"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// The service drops each stream some milliseconds after it began, hundreds of times, while the configuration changes.
func TestRelaysDoNotNoticeThatTheSourceOfTheirHubFlaps(t *testing.T) {
	const flaps = 300
	synctest.Test(t, func(t *testing.T) {
		w := &tree{service: newService()}
		w.hubs = []*treeHub{newTreeHub(0, nil, func(ctx context.Context) (net.Conn, error) { return w.service.dial(ctx) })}
		w.hubs = append(w.hubs, newTreeHub(1, w.hubs[0], nil))
		w.followers = []*follower{newFollower("rel-all", w.hubs[0]), newFollower("rel-web", w.hubs[1])}
		w.plain = []*plain{newPlain("rel-api", w.hubs[0])}
		defer w.close()
		time.Sleep(time.Minute)
		synctest.Wait()
		var before int
		for i := range flaps {
			for !w.connected() {
				time.Sleep(time.Second)
				synctest.Wait()
			}
			time.Sleep(time.Duration(i%5) * time.Millisecond)
			for change := range i % 3 {
				id := string("abcdefgh"[(i+change)%8])
				w.step(treePatch{id, "web"})
			}
			w.step(treeDown{true})
			w.step(treePatch{string("abefgh"[i%6]), "web"}) // while it is down
			w.step(treeDown{false})
			synctest.Wait()
			if problem := w.check(); problem != "" {
				t.Fatal(problem)
			}
			if i == flaps/10 {
				before = runtime.NumGoroutine()
			}
		}
		if after := runtime.NumGoroutine(); after > before+5 {
			t.Errorf("there were %d goroutines, and are %d", before, after)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if problem := w.checkEnd(); problem != "" {
			t.Error(problem)
		}
		for i, f := range w.followers {
			if status := f.manager.Status(); status.Connections != 1 {
				t.Errorf("relay %d has connected %d times", i, status.Connections)
			}
		}
		if n := w.hubs[0].manager.Status().Connections; n < flaps {
			t.Errorf("the source has flapped %d times", n)
		}
	})
}

// connected tells whether somebody follows the service.
func (s *service) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams) > 0
}

// A relay that has stalled does not delay the others, and has all when it goes on.
func TestAStalledRelayDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &tree{service: newService()}
		w.hubs = []*treeHub{newTreeHub(0, nil, func(ctx context.Context) (net.Conn, error) { return w.service.dial(ctx) })}
		defer w.close()
		w.step(treePatch{"a", "web"})
		time.Sleep(time.Minute)
		quick, stalled := newFollower("rel-all", w.hubs[0]), newRelay("rel-all")
		w.followers = append(w.followers, quick)
		stalled.connect(w.hubs[0].node, "", false)
		defer stalled.disconnect()
		synctest.Wait()
		stalled.stall()
		for i := range 1000 {
			w.step(treePatch{fmt.Sprintf("c%d", i%50), "web"})
			synctest.Wait() // no time passes
			if got, _ := quick.has(); !maps.Equal(got, w.conf.live("")) {
				t.Fatalf("after change %d it has %v", i, got)
			}
		}
		stalled.resume()
		synctest.Wait()
		if got := stalled.conf.live(""); !maps.Equal(got, w.conf.live("")) {
			t.Errorf("the relay that was stalled has %v", got)
		}
	})
}
