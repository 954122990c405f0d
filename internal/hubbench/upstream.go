//go:build linux

package main

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// upstream is the service that hubs follow.
type upstream struct {
	address string
	server  *http.Server

	mu        sync.Mutex
	all       *environments
	put       []byte // nil after a change
	followers map[chan []byte]struct{}
	changes   int
}

func newUpstream(n int) *upstream {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	u := &upstream{address: listener.Addr().String(), all: newEnvironments(n), followers: map[chan []byte]struct{}{}}
	u.server = &http.Server{Handler: u}
	go func() { _ = u.server.Serve(listener) }()
	return u
}

func (u *upstream) close() { _ = u.server.Close() }

func (u *upstream) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	changes := make(chan []byte, 10_000)
	u.mu.Lock()
	if u.put == nil {
		u.put = u.all.put()
	}
	put := u.put
	u.followers[changes] = struct{}{}
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.followers, changes)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = w.Write(put)
	for {
		if len(changes) == 0 {
			w.(http.Flusher).Flush()
		}
		select {
		case change := <-changes:
			_, _ = w.Write(change)
		case <-request.Context().Done():
			return
		}
	}
}

// change changes the next environment.
func (u *upstream) change() {
	u.mu.Lock()
	defer u.mu.Unlock()
	event := u.all.patch(u.changes%len(u.all.ids), time.Now().UnixNano())
	u.changes++
	u.put = nil
	for follower := range u.followers {
		follower <- event
	}
}
