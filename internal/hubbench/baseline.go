//go:build linux

package main

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/launchdarkly/eventsource"
)

// baseline is the hub that one would write by hand: each event of the service is published to all, and a repository
// gives the whole configuration to newcomers.
type baseline struct {
	server *eventsource.Server
	count  connections

	mu           sync.Mutex
	environments map[string]json.RawMessage
	put          string // empty after a change
}

func newBaseline(options serverOptions) contender {
	b := &baseline{server: eventsource.NewServer()}
	b.server.ReplayAll = true
	b.server.Gzip = true // for the relays that accept it
	b.server.Register("all", b)
	request, err := http.NewRequest(http.MethodGet, "http://"+options.upstream, nil)
	check(err)
	stream, err := eventsource.SubscribeWithRequest("", request)
	check(err)
	go func() {
		for event := range stream.Events {
			b.apply(event)
		}
	}()
	return b
}

type message struct {
	name, data string
}

func (m message) Id() string    { return "" }
func (m message) Event() string { return m.name }
func (m message) Data() string  { return m.data }

func (b *baseline) apply(event eventsource.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event.Event() {
	case "put":
		var put struct {
			Data struct{ Environments map[string]json.RawMessage }
		}
		check(json.Unmarshal([]byte(event.Data()), &put))
		b.environments, b.put = put.Data.Environments, ""
	case "patch":
		var patch struct {
			Path string
			Data json.RawMessage
		}
		check(json.Unmarshal([]byte(event.Data()), &patch))
		b.environments[strings.TrimPrefix(patch.Path, "/environments/")] = patch.Data
		b.put = ""
	}
	b.server.Publish([]string{"all"}, message{event.Event(), event.Data()})
}

// Replay implements eventsource.Repository.
func (b *baseline) Replay(string, string) chan eventsource.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.put == "" {
		data, err := json.Marshal(map[string]any{"path": "/", "data": map[string]any{"environments": b.environments}})
		check(err)
		b.put = string(data)
	}
	replay := make(chan eventsource.Event, 1)
	replay <- message{"put", b.put}
	close(replay)
	return replay
}

func (b *baseline) serve(listener net.Listener) {
	check((&http.Server{Handler: b.server.Handler("all"), ConnState: b.count.state}).Serve(listener))
}

func (b *baseline) ready() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.environments != nil
}

func (b *baseline) relays() int  { return int(b.count.open.Load()) }
func (b *baseline) dropped() int { return int(b.count.closed.Load()) }
