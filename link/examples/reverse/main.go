// Reverse shows the packages of link together: a hub calls a worker that it can't reach, over the connection that the
// worker keeps to it.
//
//	reverse hub 127.0.0.1:8040                     # calls every worker each second
//	reverse worker ws://127.0.0.1:8040/ worker-1   # in another terminal, or behind a proxy
//	reverse                                        # both in one, with a proxy between them whose line is cut
//
// End it with Ctrl-C.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 0:
		err = demo(ctx, os.Stdout)
	case len(args) == 2 && args[0] == "hub":
		err = serveHub(ctx, args[1], os.Stdout)
	case len(args) == 3 && args[0] == "worker":
		worker := startWorker(args[2], args[1], func(event string) { fmt.Println(event) })
		<-ctx.Done()
		worker.Stop()
	default:
		err = fmt.Errorf("usage: reverse | reverse hub ADDRESS | reverse worker URL NAME")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveHub calls every worker each second until ctx ends.
func serveHub(ctx context.Context, address string, out io.Writer) error {
	h := newHub()
	defer h.close()
	server := &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	defer func() { _ = server.Close() }()
	for each := time.Tick(time.Second); ; {
		select {
		case err := <-failed:
			return fmt.Errorf("could not serve the hub: %w", err)
		case <-ctx.Done():
			return nil
		case <-each:
			for _, worker := range h.clients.List() {
				fmt.Fprintln(out, h.greet(ctx, worker, "hello"))
			}
		}
	}
}
