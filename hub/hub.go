package hub

import (
	"sync"
	"time"
)

// Hub serves one configuration to relays. Its methods may be called from any goroutine.
type Hub struct {
	settings settings
	counters counters
	log      eventLog

	mu        sync.Mutex
	state     state
	ready     bool // there is a configuration
	source    Source
	confirmed chan struct{} // closed while the source is confirmed
	grants    []*Grant
	keysSet   bool
	expiry    *time.Timer // for the next grant that expires; nil if none does
	unknown   unknownKeys
	views     map[viewID]*view
	viewers   map[viewersKey][]*view // a cache: see viewersOf

	admission  admission
	ended      earlyEnds
	relays     map[*relay]struct{}
	news       []*view        // views with events that the fan-out has not seen
	fanningOut bool           // the fan-out runs
	writers    sync.WaitGroup // the fan-out, and ends of streams
	loans      []loan         // memory of the fan-out
	nextRound  time.Time      // of the fan-out; used by it alone, while fanningOut
	lastID     uint64
	started    time.Time

	isDraining bool          // Drain or Close was called
	drained    chan struct{} // closed when the hub drains and no relay is left
	drainOver  chan struct{} // closed when all streams are to end
	closed     bool          // Close was called
}

// New returns a hub that has no configuration and no keys yet, and answers relays with status 503 until it has both.
func New(options ...Option) *Hub {
	h := &Hub{
		settings:  defaults(),
		state:     state{items: map[itemKey]*item{}},
		source:    Source{Kind: SourceNone},
		confirmed: make(chan struct{}),
		views:     map[viewID]*view{},
		viewers:   map[viewersKey][]*view{},
		relays:    map[*relay]struct{}{},
		drained:   make(chan struct{}),
		drainOver: make(chan struct{}),
		started:   time.Now(),
	}
	for _, option := range options {
		option(&h.settings)
	}
	h.admission = newAdmission(h.settings.admissionRate, h.settings.admissionMax)
	return h
}
