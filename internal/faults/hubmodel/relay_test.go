package hubmodel

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/relayconf/relayconf/autoconfig"
)

// relay is a relay as autoconfig makes them: it follows the rules, and brings the id of its state.
type relay struct {
	key  string
	conf configuration
	id   string
	past []save // all states that it ever had

	// changes gets the changes of an event; nil for a relay that is no hub.
	changes func(put bool, changes []autoconfig.Change)

	at   int // the hub that it has connected to
	gate *gate
	stop context.CancelFunc
	done chan struct{} // closed when the connection is over; nil before the first one
}

type save struct {
	conf configuration
	id   string
}

func newRelay(key string) *relay {
	return &relay{key: key, conf: configuration{}, gate: &gate{}}
}

// connect connects to a hub, and brings an id. It stays away if the hub refuses it.
func (r *relay) connect(h *node, id string, plain bool) {
	r.disconnect()
	r.at = h.number
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://hub/relay_auto_config", nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", r.key)
	if id != "" {
		request.Header.Set("Last-Event-ID", id)
	}
	transport := &http.Transport{DialContext: h.dial, DisableKeepAlives: true, DisableCompression: plain}
	response, err := transport.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusOK {
		if err == nil {
			_ = response.Body.Close()
		}
		cancel()
		return
	}
	r.stop, r.done = cancel, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		defer cancel()
		defer response.Body.Close()
		r.read(response.Body)
	}(r.done)
}

func (r *relay) connected() bool {
	if r.done == nil {
		return false
	}
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// disconnect ends the connection. A relay that is stalled no longer is.
func (r *relay) disconnect() {
	r.resume()
	if r.done != nil {
		r.stop()
		<-r.done
		r.done = nil
	}
}

func (r *relay) stall()        { r.gate.shut() }
func (r *relay) stalled() bool { return r.gate.isShut() }
func (r *relay) resume()       { r.gate.open() }

func (r *relay) read(body io.Reader) {
	lines := bufio.NewReader(gated{body, r.gate})
	var name, data, id string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "event":
			name = value
		case "data":
			data = value
		case "id":
			id = value
		case "":
			if data != "" {
				r.event(name, data, id)
			}
			name, data = "", ""
		}
	}
}

func (r *relay) event(name, data, id string) {
	var message struct {
		Path    string
		Version int
		Data    struct {
			Version      int
			ProjKey      string
			Environments map[string]struct {
				Version int
				ProjKey string
			}
		}
	}
	if err := json.Unmarshal([]byte(data), &message); err != nil {
		panic(err)
	}
	env, isEnvironment := strings.CutPrefix(message.Path, "/environments/")
	var changes []autoconfig.Change
	switch {
	case name == "put":
		all := configuration{}
		for id, e := range message.Data.Environments {
			all[id] = known{version: e.Version, project: e.ProjKey}
		}
		changes = r.conf.put(all)
	case name == "patch" && isEnvironment:
		changes = r.conf.patch(env, known{version: message.Data.Version, project: message.Data.ProjKey})
	case name == "delete" && isEnvironment:
		changes = r.conf.delete(env, message.Version)
	}
	if name == "reconnect" {
		return
	}
	r.id = id
	r.past = append(r.past, save{maps.Clone(r.conf), id})
	if r.changes != nil {
		r.changes(name == "put", changes)
	}
}
