package hub

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// Status is how a hub is doing at one moment.
type Status struct {
	Ready        bool   // there is a configuration to serve, and the hub is not draining
	Draining     bool   // Drain was called
	Source       Source // where the configuration in force comes from
	Environments int    // environments known now
	Filters      int    // filters known now
	Relays       int    // relays connected now
	Counters     Counters
}

// Counters count since the hub was made.
type Counters struct {
	Streams    uint64 // streams begun
	Resumed    uint64 // of these, resumed ones
	Puts       uint64 // puts begun
	Events     uint64 // patches and deletes written
	Keepalives uint64 // comments written
	Bytes      uint64 // bytes written, as they go over the wire, without HTTP's own

	RefusedKeys        uint64 // requests whose key is unknown: status 401
	RefusedUnknownKeys uint64 // requests whose key is unknown so far: status 503
	RefusedNoConfig    uint64 // requests while there was no configuration, or none that may be served: status 503
	RefusedAdmission   uint64 // requests beyond WithAdmission: status 503
	RefusedDraining    uint64 // requests while the hub was draining: status 503

	DroppedSlow uint64 // streams dropped because the relay was too slow
	Revoked     uint64 // streams ended because their key was revoked, or its view changed
}

// counters is Counters while they are counted.
type counters struct {
	streams, resumed, puts, events, keepalives, bytes                                   atomic.Uint64
	refusedKeys, refusedUnknownKeys, refusedNoConfig, refusedAdmission, refusedDraining atomic.Uint64
	droppedSlow, revoked                                                                atomic.Uint64
}

func (c *counters) load() Counters {
	return Counters{
		Streams:            c.streams.Load(),
		Resumed:            c.resumed.Load(),
		Puts:               c.puts.Load(),
		Events:             c.events.Load(),
		Keepalives:         c.keepalives.Load(),
		Bytes:              c.bytes.Load(),
		RefusedKeys:        c.refusedKeys.Load(),
		RefusedUnknownKeys: c.refusedUnknownKeys.Load(),
		RefusedNoConfig:    c.refusedNoConfig.Load(),
		RefusedAdmission:   c.refusedAdmission.Load(),
		RefusedDraining:    c.refusedDraining.Load(),
		DroppedSlow:        c.droppedSlow.Load(),
		Revoked:            c.revoked.Load(),
	}
}

// Relay is a relay that is connected.
type Relay struct {
	ID              uint64    // of the stream; unique in this hub
	KeyName         string    // the name of its key
	Grant           *Grant    // its key
	Address         string    // where it connects from
	UserAgent       string    // its User-Agent header
	Instance        string    // the random id of its process, if it sends one; not to be shown
	Since           time.Time // when it connected
	ProtocolVersion int       // 1 or 2
	Compressed      bool      // it takes gzip
	Resumed         bool      // the stream began with a resume
	SentDigest      string    // of the state that it was last sent; empty before that
	Current         bool      // that is the present state of its view
	Bytes           uint64    // bytes written to it, without HTTP's own
}

// Status returns how the hub is doing.
func (h *Hub) Status() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Status{
		Ready:        h.ready && !h.draining(),
		Draining:     h.draining(),
		Source:       h.source,
		Environments: h.state.environments,
		Filters:      h.state.filters,
		Relays:       len(h.relays),
		Counters:     h.counters.load(),
	}
}

// Relays returns the relays that are connected, in the order in which they came.
func (h *Hub) Relays() []Relay {
	h.mu.Lock()
	relays := make([]Relay, 0, len(h.relays))
	for r := range h.relays {
		relays = append(relays, r.describe())
	}
	h.mu.Unlock()
	slices.SortFunc(relays, func(a, b Relay) int { return cmp.Compare(a.ID, b.ID) })
	return relays
}
