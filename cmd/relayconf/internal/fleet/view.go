package fleet

import (
	"time"

	"github.com/relayconf/relayconf/hub"
)

// viewKey identifies the view of the relays that share a key and a protocol version.
type viewKey struct {
	grant    *hub.Grant
	protocol int
}

// watchedView follows a view, so that for each configuration of the recent past the time is known when it was no longer the
// present one.
type watchedView struct {
	viewKey
	left  map[string]time.Time // by digest; guarded by Local.mu
	order []string             // of left, oldest first
}

// maxLeft is how many former configurations of a view are remembered.
const maxLeft = 1024

// watch returns a view that is followed until its key is revoked.
func (l *Local) watch(grant *hub.Grant, protocol int) *watchedView {
	if protocol > 2 {
		protocol = 2
	}
	key := viewKey{grant, max(1, protocol)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if v := l.views[key]; v != nil {
		return v
	}
	v := &watchedView{viewKey: key, left: map[string]time.Time{}}
	if l.closing.Err() != nil {
		return v
	}
	l.views[key] = v
	l.serving.Go(func() { l.follow(v) })
	return v
}

func (l *Local) follow(v *watchedView) {
	defer func() {
		l.mu.Lock()
		delete(l.views, v.viewKey)
		l.mu.Unlock()
	}()
	present := v.grant.View(v.protocol)
	for {
		select {
		case <-present.Changed:
		case <-v.grant.Revoked():
			return
		case <-l.closing.Done():
			return
		}
		next := v.grant.View(v.protocol)
		l.mu.Lock()
		v.leave(present.Digest, next)
		l.wake()
		l.mu.Unlock()
		present = next
	}
}

// leave notes when a configuration was left for another.
func (v *watchedView) leave(digest string, next hub.View) {
	delete(v.left, next.Digest) // it is present again
	if digest == next.Digest {
		return
	}
	if _, known := v.left[digest]; !known {
		v.order = append(v.order, digest)
	}
	v.left[digest] = next.Since
	for len(v.order) > maxLeft {
		delete(v.left, v.order[0])
		v.order = v.order[1:]
	}
}

// behindSince tells since when a relay that has applied a configuration is behind the present one.
func (v *watchedView) behindSince(m *member, present hub.View) time.Time {
	if left, known := v.left[m.applied]; known {
		return left
	}
	if m.applied == "" || !m.reported {
		return m.since // it has nothing, as far as is known
	}
	return later(m.appliedAt, present.Since)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
