// Package page is the web page for the operators of a hub: the state of the upstream, the environments, the fleet and a log
// of changes. An open page is kept up to date by server-sent events.
package page

import (
	"cmp"
	"strings"
	"sync"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
)

// Hub tells about the hub. Any goroutine may call it; calls come twice a second while a page is open, and must be quick.
type Hub interface {
	Upstream() Upstream
	Fleet() Fleet
}

// Upstream is the state of the configuration's source.
type Upstream struct {
	State      autoconfig.State `json:"state"`
	StateSince Time             `json:"stateSince"`
	Condition  string           `json:"condition"` // "ok", or the word for the most important problem
	Reason     string           `json:"reason"`    // why the condition is not "ok", for people
	Source     string           `json:"source"`    // STREAM, FILE, STORE or NONE
	Activity   Time             `json:"activity"`  // the last byte or the last reading of the files
	LastError  string           `json:"lastError"` // kept after the recovery
	ErrorTime  Time             `json:"errorTime"`
	Filters    int              `json:"filters"`
}

// Fleet is the fleet at one moment.
type Fleet struct {
	Relays []Relay
	Completeness
}

// Completeness says whether the fleet's relays are all known.
type Completeness struct {
	Problem string `json:"problem"` // why relays may be missing; empty if none can be
	Notice  string `json:"notice"`  // why relays may not have come back yet; empty if they have had the time
}

// Sync says how much of the configuration a relay has.
type Sync string

// The sync states.
const (
	InSync Sync = "in-sync" // the relay's agent has confirmed that everything is applied
	Behind Sync = "behind"  // the relay lacks a change
	Sent   Sync = "sent"    // everything was sent; the relay has no agent that confirms it
	Absent Sync = "absent"  // the relay is known, and not connected
	// Unknown is for relays of a hub that has no configuration to compare with.
	Unknown Sync = "unknown"
)

// Relay is a relay of the fleet. Relays are compared with ==.
type Relay struct {
	ID          string  `json:"id"` // unique, and the same for as long as it is the same relay
	Name        string  `json:"name"`
	Sync        Sync    `json:"sync"`
	BehindSince Time    `json:"behindSince"`      // if the sync state is Behind; zero: since the page has seen it so
	RoundTrip   float64 `json:"roundTripSeconds"` // 0: unknown
	Address     string  `json:"address"`
	Version     string  `json:"version"` // of the relay's software
	Since       Time    `json:"since"`   // when it connected; of an absent one, when it left
	Status      string  `json:"status"`  // the state of the relay's own source, if that is not VALID
	Hub         string  `json:"hub"`     // the hub that it is connected to; empty: this one
}

// Time is written in JSON as Unix milliseconds; the zero time is 0.
type Time int64

// At makes a Time.
func At(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// Options are the hub to show, its name and the version.
type Options struct {
	Hub     Hub
	Version string // of relayconf
	Name    string // of this hub, as its operators know it
}

// Page follows the hub and serves the page. New starts a goroutine, which ends with Close.
type Page struct {
	options Options

	mu           sync.Mutex
	environments map[string]*environment
	filters      map[string]string // names for the log, by id
	nextExpiry   time.Time         // of a key of any environment; zero: none expires
	log          changeLog
	upstream     Upstream
	completeness Completeness
	relays       map[string]Relay
	late         map[string]bool // relays whose lateness is in the log, by id
	readers      map[*reader]struct{}
	closed       bool

	opened chan struct{} // holds a token when a page was opened
	stop   chan struct{}
	ended  chan struct{}
}

// New makes a page that shows no environments yet: they come by Changes.
func New(options Options) *Page {
	p := &Page{
		options:      options,
		environments: map[string]*environment{},
		filters:      map[string]string{},
		relays:       map[string]Relay{},
		late:         map[string]bool{},
		readers:      map[*reader]struct{}{},
		opened:       make(chan struct{}, 1),
		stop:         make(chan struct{}),
		ended:        make(chan struct{}),
	}
	p.poll(time.Now())
	go p.follow()
	return p
}

// Close ends the streams of open pages, and returns when the page's goroutine has ended. A second call does nothing.
func (p *Page) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.stop)
	}
	for r := range p.readers {
		p.drop(r)
	}
	p.mu.Unlock()
	<-p.ended
}

const (
	watchedInterval   = 500 * time.Millisecond // between two polls while a page is open
	unwatchedInterval = 5 * time.Second        // while none is, for the log
	pingInterval      = 10 * time.Second       // between two updates that say nothing but the time
)

// follow polls the hub.
func (p *Page) follow() {
	defer close(p.ended)
	timer := time.NewTimer(unwatchedInterval)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-p.opened:
		case <-p.stop:
			return
		}
		if p.poll(time.Now()) {
			timer.Reset(watchedInterval)
		} else {
			timer.Reset(unwatchedInterval)
		}
	}
}

// poll asks the hub for its state, and publishes the differences. It tells whether a page is open.
func (p *Page) poll(now time.Time) (watched bool) {
	upstream, fleet := p.options.Hub.Upstream(), p.options.Hub.Fleet()
	p.mu.Lock()
	defer p.mu.Unlock()
	u := update{}
	if upstream != p.upstream {
		if text := upstreamText(p.upstream, upstream); text != "" {
			u.Log = append(u.Log, p.log.add(now, kindUpstream, "", text))
		}
		p.upstream = upstream
		u.Upstream = &upstream
	}
	if fleet.Completeness != p.completeness {
		p.completeness = fleet.Completeness
		u.Completeness = &fleet.Completeness
	}
	p.applyRelays(now, fleet.Relays, &u)
	p.expireKeys(now, &u)
	p.publish(now, u)
	return len(p.readers) > 0
}

// upstreamText says how the condition of the upstream has changed; nothing at first.
func upstreamText(before, after Upstream) string {
	switch {
	case before.Condition == after.Condition || before.Condition == "":
		return ""
	case after.Condition == ConditionOK:
		return "The upstream is followed"
	}
	text := cmp.Or(after.Reason, after.Condition)
	return strings.ToUpper(text[:1]) + text[1:]
}

// ConditionOK is the condition of an upstream without a problem.
const ConditionOK = "ok"
