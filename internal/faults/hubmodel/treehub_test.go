package hubmodel

import (
	"context"
	"net"
	"sync"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/hub"
)

// treeHub is a hub behind a manager with a store, as serve runs it.
type treeHub struct {
	*node
	upper   *treeHub // nil if it follows the service
	follows dialer
	store   *memory
	process *incarnation
	manager *autoconfig.StreamManager

	mu    sync.Mutex
	pipes *pipes
}

func newTreeHub(number int, upper *treeHub, follows dialer, options ...hub.Option) *treeHub {
	if upper != nil {
		follows = func(ctx context.Context) (net.Conn, error) { return upper.dial(ctx, "", "") }
	}
	h := &treeHub{node: &node{number: number, options: options}, upper: upper, follows: follows, store: &memory{}}
	h.start()
	return h
}

func (h *treeHub) start() {
	h.node.start()
	h.mu.Lock()
	h.pipes = h.node.pipes
	h.mu.Unlock()
	h.process = &incarnation{memory: h.store}
	h.manager = newManager("rel-all", h.follows, h.Handler(), autoconfig.WithStore(h.process), autoconfig.WithStatusListener(h.Follow))
}

// dial connects to the hub as it is now.
func (h *treeHub) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	h.mu.Lock()
	pipes := h.pipes
	h.mu.Unlock()
	return pipes.dial(ctx)
}

// close ends it as SIGKILL does: no relay is told, and nothing is saved.
func (h *treeHub) close() {
	h.process.kill()
	_ = h.server.Close()
	h.Hub.Close()
	h.manager.Close()
	<-h.manager.Done()
}

// restart kills the hub, and starts it from its store, which may be lost.
func (h *treeHub) restart(lost bool) {
	h.close()
	if lost {
		h.store = &memory{}
	}
	h.start()
}

// upToDate tells whether it has all that the service has sent, or serves only relays that have nothing to lose until it
// does. A hub that was cut off from a service that goes on may be behind relays that come from other hubs.
func (h *treeHub) upToDate() bool {
	status := h.manager.Status()
	if status.Source != autoconfig.SourceStream {
		return h.upper == nil || h.upper.upToDate()
	}
	return status.State == autoconfig.StateValid &&
		(h.upper == nil || h.upper.manager.Status().Source == autoconfig.SourceStream && h.upper.upToDate())
}
