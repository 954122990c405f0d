package rpc

import (
	"context"
	"sync"
)

// turns lets one goroutine at a time have each name. Its zero value is ready.
type turns struct {
	mu     sync.Mutex
	byName map[string]*turn
}

type turn struct {
	free  chan struct{} // holds a token while nobody has the name
	users int           // that have the name or wait for it
}

// take waits until the name is free, and returns the function that frees it again. If the context ends first, it returns
// the context's error.
func (t *turns) take(ctx context.Context, name string) (done func(), err error) {
	t.mu.Lock()
	if t.byName == nil {
		t.byName = map[string]*turn{}
	}
	mine := t.byName[name]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.byName[name] = mine
	}
	mine.users++
	t.mu.Unlock()

	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.users--; mine.users == 0 {
			delete(t.byName, name)
		}
	}
	select {
	case <-mine.free:
		return func() { mine.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
