package rpc

import (
	"maps"
	"slices"
	"sync"

	"github.com/relayconf/relayconf/link/rpc/rpcpb"
)

// Clients holds the clients that are connected, by name, and calls them. Its methods may be called from any goroutine.
type Clients struct {
	joined func(name string)
	left   func(name string)

	// changes is held from a change of byName until its callback has returned, so that callbacks come in order. It is
	// apart from mu, so that callbacks may use List.
	changes sync.Mutex

	mu     sync.Mutex
	byName map[string]*connection
}

// ClientsOption is an option of [NewClients].
type ClientsOption func(*Clients)

// WithJoinFunc sets a function that is called after each join, in the order of joins and leaves. A client that replaces
// another under its name joins, and the other does not leave. The function may use List. It must return soon and wait
// for no client: joins and leaves wait for it, and the new client is served once it has returned.
func WithJoinFunc(joined func(name string)) ClientsOption {
	return func(c *Clients) { c.joined = joined }
}

// WithLeaveFunc sets a function that is called when no client has the name any more, under the rules of [WithJoinFunc].
func WithLeaveFunc(left func(name string)) ClientsOption {
	return func(c *Clients) { c.left = left }
}

// NewClients returns a Clients without any client.
func NewClients(options ...ClientsOption) *Clients {
	c := &Clients{byName: map[string]*connection{}, joined: func(string) {}, left: func(string) {}}
	for _, option := range options {
		option(c)
	}
	return c
}

// Join adds a client and returns the two channels of its transport. The transport reads commands from the first and sends
// them to the client; it writes the client's responses to the second, where no write blocks for long. Requests are numbered
// from nextID on.
//
// The transport leaves by closing the channel of responses, which is drained until then. The channel of commands is
// closed after that, or earlier if the connection is stale: another client has joined under the name, which from then on
// belongs to that one. The name must pass [CheckName]; one that does not is never joined, and its connection stale from
// the start.
func (c *Clients) Join(name string, nextID uint64) (<-chan *rpcpb.ServerToClient, chan<- *rpcpb.Response) {
	conn := c.join(name, nextID, 0)
	return conn.commands, conn.responses
}

// join is Join for a transport that carries requests of at most maxRequest bytes, 0 for any number.
func (c *Clients) join(name string, nextID uint64, maxRequest int) *connection {
	conn := newConnection(name, nextID, maxRequest)
	if CheckName(name) != nil {
		conn.replace()
		go conn.run(func() {})
		return conn
	}
	c.changes.Lock()
	defer c.changes.Unlock()
	c.mu.Lock()
	older := c.byName[name]
	c.byName[name] = conn
	c.mu.Unlock()
	if older != nil {
		older.replace()
	}
	c.joined(name)
	go conn.run(func() { c.leave(conn) })
	return conn
}

// leave removes the connection, unless its name belongs to a newer one.
func (c *Clients) leave(conn *connection) {
	c.changes.Lock()
	defer c.changes.Unlock()
	c.mu.Lock()
	current := c.byName[conn.name] == conn
	if current {
		delete(c.byName, conn.name)
	}
	c.mu.Unlock()
	if current {
		c.left(conn.name)
	}
}

// List returns the names of the clients that are connected, sorted.
func (c *Clients) List() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.byName))
}

// find returns the connection of a client, or nil if it is not connected.
func (c *Clients) find(name string) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byName[name]
}

// all returns the connections, sorted by name.
func (c *Clients) all() []*connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	connections := make([]*connection, 0, len(c.byName))
	for _, name := range slices.Sorted(maps.Keys(c.byName)) {
		connections = append(connections, c.byName[name])
	}
	return connections
}
