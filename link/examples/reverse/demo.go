package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// demo runs a hub, a worker, and a proxy between them whose line is cut and comes back.
func demo(ctx context.Context, out io.Writer) error {
	h := newHub()
	defer h.close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	between, err := newProxy(listener.Addr().String())
	if err != nil {
		return err
	}
	defer between.close()
	return greetAcrossACut(ctx, h, "ws://"+between.address()+"/", between.cut, between.restore, out)
}

// greetAcrossACut has a hub call a worker before its line is cut, while it is, and after it has come back.
func greetAcrossACut(ctx context.Context, h *hub, url string, cut, restore func(), out io.Writer) error {
	events := make(chan string, 100)
	worker := startWorker("worker-1", url, func(event string) {
		select {
		case events <- event:
		default: // nobody waits for more of the same
		}
	})
	defer worker.Stop()
	steps := []struct {
		name     string
		do       func()
		event    string // to wait for
		greeting string
	}{
		{"the worker starts", func() {}, "worker-1: connected", "hello"},
		{"the line is cut", cut, "worker-1: not connected", "is anybody there"},
		{"the line is back", restore, "worker-1: connected", "hello again"},
	}
	for _, step := range steps {
		fmt.Fprintln(out, step.name)
		step.do()
		for event := ""; event != step.event; {
			select {
			case event = <-events:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		fmt.Fprintln(out, step.event)
		fmt.Fprintln(out, h.greet(ctx, "worker-1", step.greeting))
	}
	return nil
}
