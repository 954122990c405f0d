package hub

import (
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/stream"
)

// streamPath is where relays find the stream.
const streamPath = "/relay_auto_config"

// refusal is a response that is no stream.
type refusal struct {
	status     int
	retryAfter time.Duration // with status 503
	exact      bool          // no other relay is told the same moment
	reason     string
	key        string     // the key's name
	level      slog.Level // of its line in the log
}

// sayWhen sets the headers that say when the relay is to come back.
func (f *refusal) sayWhen(header http.Header) {
	if f.status != http.StatusServiceUnavailable {
		return
	}
	seconds := f.retryAfter.Seconds()
	header.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(seconds)))))
	if f.exact {
		header.Set(stream.RetryAfterHeader, strconv.FormatFloat(seconds, 'f', 3, 64))
	}
}

// ServeHTTP serves the stream at GET /relay_auto_config, and nothing else. To serve it below a base path, use
// http.StripPrefix.
//
// With HTTP/1.1 and without TLS, the hub takes the connection of a stream over from net/http, unless w is a wrapper:
// middleware sees all bytes. Such streams end with Drain and Close; http.Server's Shutdown and Close don't end them. If
// the connection is one of net's, or has a method PlainConn() net.Conn that returns one to which it passes all bytes on
// as they are, an event is written to all relays by a few goroutines, without waking one for each.
func (h *Hub) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	switch {
	case request.URL.Path != streamPath:
		http.NotFound(w, request)
		return
	case request.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "only GET is possible here", http.StatusMethodNotAllowed)
		return
	}
	r, refused := h.admit(w, request)
	if refused != nil {
		h.log.add(h.settings.logger, eventKind{refused.level, "A relay was refused", refused.key, refused.reason}, request.RemoteAddr)
		refused.sayWhen(w.Header())
		http.Error(w, refused.reason, refused.status)
		return
	}
	r.serve(request)
}

// admit lets a relay in, or says why not.
func (h *Hub) admit(w http.ResponseWriter, request *http.Request) (*relay, *refusal) {
	key := request.Header.Get("Authorization")
	grant, err := h.Authenticate(config.AutoConfigKey(key))
	switch {
	case errors.Is(err, ErrUnknownKey):
		h.counters.refusedKeys.Add(1)
		return nil, &refusal{status: http.StatusUnauthorized, reason: err.Error(), key: unknownKeyName(key), level: slog.LevelWarn}
	case err != nil:
		h.counters.refusedUnknownKeys.Add(1)
		refused := unavailable(err.Error())
		refused.key = unknownKeyName(key)
		return nil, refused
	}
	r, refused := h.admitGrant(w, request, grant)
	if refused != nil {
		refused.key = grant.name
	}
	return r, refused
}

// admitGrant lets a relay in whose key was accepted.
func (h *Hub) admitGrant(w http.ResponseWriter, request *http.Request, grant *Grant) (*relay, *refusal) {
	r := newRelay(h, grant, w, request)
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining():
		h.counters.refusedDraining.Add(1)
		refused := unavailable("this hub is shutting down")
		refused.level = slog.LevelInfo
		return nil, refused
	case isClosed(grant.revoked):
		h.counters.refusedUnknownKeys.Add(1)
		return nil, unavailable("the keys have just changed")
	case !h.ready:
		h.counters.refusedNoConfig.Add(1)
		return nil, h.notYet("this hub has no configuration yet", now)
	}
	r.view = h.view(grant.selection, r.protocolVersion)
	id := request.Header.Get("Last-Event-ID")
	if id != "" {
		r.atLeast = r.view.last
	}
	early := r.resume(id, now)
	switch {
	case r.resumed:
	case id != "" && !h.source.Confirmed():
		h.counters.refusedNoConfig.Add(1)
		return nil, h.notYet("this hub's configuration was stored, and may be older than yours; it waits for the service to confirm it", now)
	default:
		if ok, retryAfter := h.admission.begin(r.asker(), r.view.putSize(r.encoding), now); !ok {
			h.counters.refusedAdmission.Add(1)
			refused := unavailable("too many relays need the whole configuration at once")
			refused.retryAfter, refused.exact = retryAfter, true
			return nil, refused
		}
	}
	if early != nil {
		h.ended.take(*early)
	}
	if !h.source.Confirmed() || r.resumed && r.at != r.view.last {
		// A hub must not pass on as confirmed a state that is stored, or lacks the latest changes.
		r.unconfirmed = h.source.Time.UTC().Format(time.RFC3339)
	}
	h.lastID++
	r.id = h.lastID
	h.relays[r] = struct{}{}
	return r, nil
}

// unavailable is status 503. Relays come back within some seconds, not all at once.
func unavailable(reason string) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, retryAfter: time.Duration(1+rand.IntN(5)) * time.Second, reason: reason, level: slog.LevelWarn}
}

// notYet is for a hub that lacks something which it mostly has soon after its start: relays come back after about as long
// as it has waited so far.
func (h *Hub) notYet(reason string, now time.Time) *refusal {
	refused := unavailable(reason)
	if waited := max(time.Second, now.Sub(h.started)); waited <= soon {
		refused.retryAfter, refused.exact = waited/2+rand.N(waited/2), true
	}
	return refused
}

// soon is for how long after its start a hub is likely to get what it lacks at any moment.
const soon = 5 * time.Second

// resume finds out whether a relay can be led on by events, from the state that its id says it has. Otherwise it needs
// a put; if that is because it ended its last stream early, resume returns how.
func (r *relay) resume(id string, now time.Time) *earlyEnd {
	d, ok := digest.Parse(id)
	if !ok {
		return nil
	}
	at, p, ok := r.view.find(d)
	if !ok {
		return nil
	}
	r.point = p
	if end := (earlyEnd{r.grant.hash, r.host(), d}); r.mayRefuse() && r.hub.ended.has(end, now) {
		return &end
	}
	if r.view.leadsOn(at) {
		r.at, r.led, r.resumed = at, true, true
	}
	return nil
}

// putSize is about how many bytes a put has.
func (v *view) putSize(encoding encoding) int {
	if all := v.bodies[encoding].all; len(all) > 0 && isClosed(all[len(all)-1].ready) {
		return len(all[len(all)-1].full.data)
	}
	if encoding == gzipped {
		return v.size / usualCompression
	}
	return v.size
}

// usualCompression is how much smaller a put is with gzip, if its keys and ids are random.
const usualCompression = 4

// acceptsGzip tells whether a request accepts gzip, by its Accept-Encoding.
func acceptsGzip(header http.Header) bool {
	any := false
	for _, part := range strings.Split(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		coding, parameter, _ := strings.Cut(part, ";")
		name, weight, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		accepted := true
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
			accepted = err == nil && q > 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return accepted
		case "*":
			any = accepted
		}
	}
	return any
}

// protocolVersion is 2 for any version with filters.
func protocolVersion(request *http.Request) int {
	if v, err := strconv.Atoi(request.URL.Query().Get("rpacProtocolVersion")); err == nil && v >= 2 {
		return 2
	}
	return 1
}

// host is the address that a relay connects from, without its port.
func (r *relay) host() string {
	host, _, err := net.SplitHostPort(r.address)
	if err != nil {
		return r.address
	}
	return host
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
