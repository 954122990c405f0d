package hubmodel

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/launchdarkly/eventsource"
)

// plain is a relay with the client that existing relays use.
type plain struct {
	at   *treeHub
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	relay *relay // holds the configuration; its own connection is not used
}

func newPlain(key string, at *treeHub) *plain {
	p := &plain{at: at, relay: newRelay(key), stop: make(chan struct{}), done: make(chan struct{})}
	go p.run()
	return p
}

func (p *plain) run() {
	defer close(p.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://hub/relay_auto_config", nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", p.relay.key)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return p.at.dial(ctx, "", "") }}}
	isStopped := func(error) eventsource.StreamErrorHandlerResult {
		select {
		case <-p.stop:
			return eventsource.StreamErrorHandlerResult{CloseNow: true}
		default:
			return eventsource.StreamErrorHandlerResult{}
		}
	}
	stream, err := eventsource.SubscribeWithRequestAndOptions(request, eventsource.StreamOptionHTTPClient(client),
		eventsource.StreamOptionInitialRetry(time.Second), eventsource.StreamOptionReadTimeout(5*time.Minute),
		eventsource.StreamOptionCanRetryFirstConnection(-1), eventsource.StreamOptionErrorHandler(isStopped))
	if err != nil {
		return
	}
	for {
		select {
		case e := <-stream.Events:
			p.mu.Lock()
			p.relay.event(e.Event(), e.Data(), e.(interface{ Id() string }).Id())
			p.mu.Unlock()
		case <-p.stop:
			cancel()
			stream.Close()
			for range stream.Events { // until it has ended
			}
			return
		}
	}
}

func (p *plain) close() {
	close(p.stop)
	<-p.done
}

func (p *plain) live() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.relay.conf.live("")
}
