package page

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// update is the data of an event: everything in it is new, changed or gone. The first updates of a stream, up to the event
// "ready", bring all there is.
type update struct {
	Now              Time               `json:"now"` // the hub's clock, for countdowns
	Upstream         *Upstream          `json:"upstream,omitempty"`
	Environments     []shownEnvironment `json:"environments,omitempty"`
	GoneEnvironments []string           `json:"goneEnvironments,omitempty"`
	Completeness     *Completeness      `json:"completeness,omitempty"`
	Relays           []Relay            `json:"relays,omitempty"`
	GoneRelays       []string           `json:"goneRelays,omitempty"`
	Log              []entry            `json:"log,omitempty"`
}

// beginning is the data of the event "begin": the events after it replace all that the page has.
type beginning struct {
	Build   string `json:"build"`   // of the page: an open page of another build is to be loaded again
	Version string `json:"version"` // of relayconf
	Name    string `json:"name"`    // of the hub
}

// chunk is how many items an event has at most: a page decodes it within a frame.
const chunk = 250

// split cuts an update into pieces that a page can take within a frame each.
func (u update) split() (pieces []update) {
	for {
		piece := u
		piece.Environments, u.Environments = cut(u.Environments)
		piece.GoneEnvironments, u.GoneEnvironments = cut(u.GoneEnvironments)
		piece.Relays, u.Relays = cut(u.Relays)
		piece.GoneRelays, u.GoneRelays = cut(u.GoneRelays)
		piece.Log, u.Log = cut(u.Log)
		pieces = append(pieces, piece)
		u.Upstream, u.Completeness = nil, nil
		if u.empty() {
			return pieces
		}
	}
}

// sort sorts the items nearly as the page does: to sort them is the work of a moment there then.
func (u update) sort() {
	slices.SortFunc(u.Environments, func(a, b shownEnvironment) int {
		return cmp.Or(cmp.Compare(a.ProjKey, b.ProjKey), cmp.Compare(a.EnvKey, b.EnvKey), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(u.Relays, func(a, b Relay) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
}

func cut[T any](items []T) (first, rest []T) {
	n := min(chunk, len(items))
	return items[:n:n], items[n:]
}

func (u update) empty() bool {
	return u.Upstream == nil && u.Completeness == nil && len(u.Environments)+len(u.GoneEnvironments)+len(u.Relays)+len(u.GoneRelays)+len(u.Log) == 0
}

// frame encodes an event.
func frame(event string, data any) []byte {
	var b bytes.Buffer
	b.WriteString("event: " + event + "\ndata: ")
	_ = json.NewEncoder(&b).Encode(data) // a buffer takes everything, and all types can be encoded
	b.WriteByte('\n')
	return b.Bytes()
}

// reader is an open page.
type reader struct{ frames chan []byte }

// maxPending is how many frames may wait for a page. One that is slower has to start again.
const maxPending = 256

// publish sends an update to all open pages. The caller holds p.mu.
func (p *Page) publish(now time.Time, u update) {
	if u.empty() || len(p.readers) == 0 {
		return
	}
	u.Now = At(now)
	for _, piece := range u.split() {
		data := frame("update", piece)
		for r := range p.readers {
			select {
			case r.frames <- data:
			default:
				p.drop(r)
			}
		}
	}
}

// drop ends the stream of a page. The caller holds p.mu.
func (p *Page) drop(r *reader) {
	delete(p.readers, r)
	close(r.frames)
}

// open adds a reader, and returns everything that is known. It returns nil once the page is closed.
func (p *Page) open() (*reader, update) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, update{}
	}
	upstream, completeness := p.upstream, p.completeness
	all := update{Now: At(time.Now()), Upstream: &upstream, Completeness: &completeness, Log: slices.Clone(p.log.entries)}
	for _, env := range p.environments {
		all.Environments = append(all.Environments, env.shown)
	}
	for _, r := range p.relays {
		all.Relays = append(all.Relays, r)
	}
	r := &reader{frames: make(chan []byte, maxPending)}
	p.readers[r] = struct{}{}
	select {
	case p.opened <- struct{}{}:
	default:
	}
	return r, all
}

func (p *Page) leave(r *reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, reads := p.readers[r]; reads {
		p.drop(r)
	}
}

// events streams updates until the page goes away, is too slow, or is closed.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	page, all := p.open()
	if page == nil {
		http.Error(w, "the hub is about to end", http.StatusServiceUnavailable)
		return
	}
	defer p.leave(page)
	all.sort()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := &stream{ResponseController: http.NewResponseController(w), w: w}
	out.write([]byte("retry: 1000\n"), frame("begin", beginning{build, p.options.Version, p.options.Name}))
	for _, piece := range all.split() {
		out.write(frame("update", piece))
	}
	out.write(frame("ready", update{Now: At(time.Now())}))
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	for out.err == nil {
		select {
		case data, open := <-page.frames:
			if !open {
				return
			}
			out.write(data)
		case <-ping.C:
			out.write(frame("update", update{Now: At(time.Now())}))
		case <-r.Context().Done():
			return
		}
	}
}

// stream writes events. After an error it writes nothing.
type stream struct {
	*http.ResponseController
	w   http.ResponseWriter
	err error
}

// writeTimeout is for one write to a page, in place of the listener's limit for whole responses.
const writeTimeout = 30 * time.Second

func (s *stream) write(data ...[]byte) {
	for _, d := range data {
		if s.err == nil {
			s.err = s.SetWriteDeadline(time.Now().Add(writeTimeout))
		}
		if s.err == nil {
			_, s.err = s.w.Write(d)
		}
	}
	if s.err == nil {
		s.err = s.Flush()
	}
}
