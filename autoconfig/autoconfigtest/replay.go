package autoconfigtest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/relayconf/relayconf/config"
)

// ReplayOptions says how a recording is played. The zero value plays it once, at its own speed, to any client.
type ReplayOptions struct {
	// Speed multiplies the speed: pauses are divided by it. 0 is the default, 1. math.Inf(1) leaves the pauses out.
	Speed float64
	// Loop starts over when the recording has been played: the connection ends, and the next one begins with the
	// start of the recording.
	Loop bool
	// KeepAlive is the time between the empty comments that are sent to a connection on which nothing is left to
	// play. The default, 0, sends none.
	KeepAlive time.Duration
	// Key is the only key that is accepted. The default, none, accepts any request, even without a key.
	Key config.AutoConfigKey
	// ShiftTimes moves the expiry times of keys by the time from Recording.Recorded to the moment when the first
	// client comes; with Loop, when each round begins. A pause that is shortened by Speed leaves them where they are.
	ShiftTimes bool
}

// Validate returns an error if the recording can't be played with these options.
func (o ReplayOptions) Validate(r *Recording) error {
	switch {
	case o.Speed < 0 || math.IsNaN(o.Speed):
		return fmt.Errorf("the speed of a replay must be positive, not %v", o.Speed)
	case o.KeepAlive < 0:
		return fmt.Errorf("the keepalive interval of a replay can't be negative: %v", o.KeepAlive)
	case o.ShiftTimes && r.Recorded.IsZero():
		return errors.New("the times of this recording can't be shifted, since it does not say when it was recorded; " +
			`add a line such as ":!recorded 2026-11-20T12:00:00Z"`)
	}
	return nil
}

// Replay serves a recording as an auto-configuration service, on any path that ends with "/relay_auto_config".
//
// A recording is a list of segments, each for one connection. A segment ends with a drop or status directive, after a
// reconnect event, and at the end of the recording. All connections share one place in the recording: each plays the
// current segment from its start, and the first to come to its last event moves the place on. So a client that leaves in the
// middle of a segment gets the same segment again.
//
// After a reconnect event the connection stays open, so that the client leaves by itself. After the end of the
// recording it stays open too, and a client that comes back gets the last segment again. If the recording ends with a
// drop, a status or a reconnect, or within an event (where the connection is cut), a client that comes back gets
// status 200 and nothing but keepalives.
//
// An open connection ends only when its client leaves or its HTTP server closes it: httptest.Server.Close waits for it.
type Replay struct {
	options   ReplayOptions
	recording *Recording
	played    chan struct{}

	mu          sync.Mutex
	connections int
	segments    []segment // of this round; shifted if need be
	place       int       // how many segments have been played, those of earlier rounds included
	begun       bool      // a client has come for this round
}

// Handler serves the recording. It panics if the options do not pass Validate.
func (r *Recording) Handler(options ReplayOptions) *Replay {
	if err := options.Validate(r); err != nil {
		panic("autoconfigtest: " + err.Error())
	}
	if options.Speed == 0 {
		options.Speed = 1
	}
	replay := &Replay{
		options:   options,
		recording: r,
		played:    make(chan struct{}),
		segments:  segments(r.items),
	}
	if len(replay.segments) == 0 {
		close(replay.played)
	}
	return replay
}

// Connections returns how many connections have got a stream so far.
func (p *Replay) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connections
}

// Played returns a channel that is closed when the whole recording has been sent once.
func (p *Replay) Played() <-chan struct{} { return p.played }

// ServeHTTP plays the current segment.
func (p *Replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.HasSuffix(r.URL.Path, streamPath):
		http.Error(w, "not found: the path must end with "+streamPath, http.StatusNotFound)
	case r.Method != http.MethodGet:
		http.Error(w, "the method must be GET", http.StatusMethodNotAllowed)
	case p.options.Key != "" && r.Header.Get("Authorization") != string(p.options.Key):
		http.Error(w, "this key is not accepted", http.StatusUnauthorized)
	default:
		current, place, left := p.current()
		out := &output{writer: w, control: http.NewResponseController(w), done: r.Context().Done()}
		if left && current.status != 0 {
			p.answer(out, current, place)
		} else {
			p.stream(out, current, place)
		}
	}
}

// answer plays a segment that is no stream.
func (p *Replay) answer(out *output, current segment, place int) {
	for _, s := range current.steps {
		if !out.pause(p.atSpeed(s.pause)) {
			return
		}
	}
	p.advance(place)
	http.Error(out.writer, fmt.Sprintf("recorded status %d", current.status), current.status)
	p.notePlayed(place)
}

// stream plays a segment. The zero segment, when none is left, has no steps and stays open.
func (p *Replay) stream(out *output, current segment, place int) {
	p.mu.Lock()
	p.connections++
	p.mu.Unlock()
	out.writer.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out.writer.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate")
	out.writer.WriteHeader(http.StatusOK)
	if !out.flush() {
		return
	}
	for i, s := range current.steps {
		if !out.pause(p.atSpeed(s.pause)) {
			return
		}
		if i == len(current.steps)-1 {
			p.advance(place) // before a client can notice the end, and come back for the next segment
		}
		if !out.send(s.send) {
			return
		}
	}
	if len(current.steps) == 0 {
		p.advance(place)
	}
	p.notePlayed(place)
	switch {
	case current.end == endCut:
		panic(http.ErrAbortHandler) // how a handler cuts the line: the client sees no orderly end
	case current.end == endDrop, current.end == endOfRecording && p.options.Loop && len(current.steps) > 0:
		return
	}
	out.hold(p.options.KeepAlive)
}

// current returns the segment to play and its place; left is false if none is left.
func (p *Replay) current() (current segment, place int, left bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := len(p.segments)
	if p.place >= count && !p.options.Loop || count == 0 {
		return segment{}, p.place, false
	}
	if !p.begun && p.options.ShiftTimes {
		p.segments = segments(p.recording.ShiftTimes(time.Since(p.recording.Recorded)).items)
	}
	p.begun = true
	return p.segments[p.place%count], p.place, true
}

// advance moves on from the segment at this place.
func (p *Replay) advance(place int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := len(p.segments)
	if place != p.place || count == 0 || place >= count && !p.options.Loop {
		return
	}
	last := (place+1)%count == 0
	if last && !p.options.Loop && p.segments[count-1].end == endOfRecording {
		return // who comes back gets it again
	}
	p.place++
	p.begun = !last && p.begun
}

// notePlayed notes that the segment at this place has been sent.
func (p *Replay) notePlayed(place int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if place+1 != len(p.segments) {
		return
	}
	select {
	case <-p.played: // the last segment may be played again
	default:
		close(p.played)
	}
}

// atSpeed returns how long a recorded pause takes.
func (p *Replay) atSpeed(pause time.Duration) time.Duration {
	if scaled := float64(pause) / p.options.Speed; scaled < math.MaxInt64 {
		return time.Duration(scaled)
	}
	return math.MaxInt64
}
