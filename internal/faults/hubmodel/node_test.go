package hubmodel

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/hub"
)

// The keys of relays, and the projects that they show; all, if it is empty.
var keys = map[string]string{"rel-all": "", "rel-web": "web", "rel-api": "api"}

// node is a hub that can be restarted, served over connections in memory.
type node struct {
	*hub.Hub
	number  int
	options []hub.Option
	server  *http.Server
	pipes   *pipes
}

func newNode(number int, options ...hub.Option) *node {
	n := &node{number: number, options: options}
	n.start()
	return n
}

func (n *node) start() {
	n.Hub = hub.New(n.options...)
	var all []hub.Key
	for key, project := range keys {
		k := hub.Key{Name: key, Key: config.AutoConfigKey(key)}
		if project != "" {
			k.Projects = []string{project}
		}
		all = append(all, k)
	}
	if err := n.SetKeys(all); err != nil {
		panic(err)
	}
	n.server, n.pipes = serve(n.Hub)
}

// serve serves a handler over connections in memory.
func serve(handler http.Handler) (*http.Server, *pipes) {
	server := &http.Server{Handler: handler}
	pipes := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	go func() { _ = server.Serve(pipes) }()
	return server, pipes
}

func (n *node) close() {
	n.Hub.Close()
	_ = n.server.Close()
}

// restart begins again with a stored configuration; nil if nothing was stored.
func (n *node) restart(stored configuration) {
	n.close()
	n.start()
	n.SetSource(hub.Source{Kind: hub.SourceStore, Time: time.Now()})
	if stored != nil {
		n.Changes(true, stored.all())
	}
}

func (n *node) confirm() { n.SetSource(hub.Source{Kind: hub.SourceStream, Time: time.Now()}) }

func (n *node) dial(ctx context.Context, _, _ string) (net.Conn, error) { return n.pipes.dial(ctx) }

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.accept <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// digest is that of the hub's view for a key.
func (n *node) view(key string) hub.Versions {
	grant, err := n.Authenticate(config.AutoConfigKey(key))
	if err != nil {
		panic(err)
	}
	return grant.Versions(autoconfig.DefaultProtocolVersion)
}

// pipes is a listener of connections in memory.
type pipes struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }
