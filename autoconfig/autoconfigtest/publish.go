package autoconfigtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/launchdarkly/eventsource"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// Put makes content the whole configuration and sends it to each connection. Before the first Put a new connection
// gets status 200 and nothing else. Filters go only to clients that ask for protocol version 2 or later.
func (s *Server) Put(content autoconfig.PutContent) {
	s.publish(func() {
		s.view.put(content)
		s.events.Publish([]string{plainChannel}, putEvent(s.view.content(false)))
		s.events.Publish([]string{filterChannel}, putEvent(s.view.content(true)))
	})
}

// Patch sends an environment that is new or has changed. It becomes part of the configuration, unless its version is
// not greater than the known one: such a patch is sent and changes nothing here. The same goes for
// PatchFilter, Delete and DeleteFilter, and for all of them before the first Put.
func (s *Server) Patch(rep envfactory.EnvironmentRep) {
	s.publish(func() {
		s.view.environments.patch(rep.EnvID, rep, rep.Version)
		s.events.Publish(allChannels, patchEvent("/environments/"+string(rep.EnvID), rep))
	})
}

// PatchFilter sends a filter that is new or has changed, to clients that ask for protocol version 2 or later.
func (s *Server) PatchFilter(id config.FilterID, rep envfactory.FilterRep) {
	s.publish(func() {
		s.view.filters.patch(id, rep, rep.Version)
		s.events.Publish(filtersChannels, patchEvent("/filters/"+string(id), rep))
	})
}

// Delete tells that an environment is gone as of this version.
func (s *Server) Delete(id config.EnvironmentID, version int) {
	s.publish(func() {
		s.view.environments.delete(id, version)
		s.events.Publish(allChannels, deleteEvent("/environments/"+string(id), version))
	})
}

// DeleteFilter tells that a filter is gone as of this version, to clients that ask for protocol version 2 or later.
func (s *Server) DeleteFilter(id config.FilterID, version int) {
	s.publish(func() {
		s.view.filters.delete(id, version)
		s.events.Publish(filtersChannels, deleteEvent("/filters/"+string(id), version))
	})
}

// Reconnect asks each client to reconnect for a new put. The connections stay open: it is for the client to leave.
func (s *Server) Reconnect() {
	s.publish(func() { s.events.Publish(allChannels, event{name: autoconfig.ReconnectEvent, data: " "}) })
}

// Comment sends a comment with this text; an autoconfig.KeepAliveHandler gets the text. The service's own keepalive
// is the empty text. The text must not have line breaks.
func (s *Server) Comment(text string) {
	if strings.ContainsAny(text, "\r\n") {
		fail(s.tb, "Comment: the text %q has a line break; call Comment for each line, or use Raw", text)
		return
	}
	s.publish(func() { s.events.PublishComment(allChannels, spaced(text)) })
}

// spaced returns the text to write after the colon of a comment: a client drops one space from it.
func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}

// Raw writes text to each open connection as it is, in its place among the published events: broken JSON, half an event,
// fields that no method here has. It is not sent again to later connections.
func (s *Server) Raw(text string) {
	s.publish(func() { s.events.PublishComment(allChannels, rawMarker+text) })
}

// DropConnections ends each connection once it has been sent all earlier events, and goes on accepting new ones.
func (s *Server) DropConnections() {
	s.publish(func() {
		s.unregister()
		s.register()
	})
}

// publish calls f with the right to publish, unless the server was closed.
func (s *Server) publish(f func()) {
	s.order.Lock()
	defer s.order.Unlock()
	if !s.closed {
		f()
	}
}

// event is an eventsource.Event without an id.
type event struct{ name, data string }

func (e event) Id() string    { return "" }
func (e event) Event() string { return e.name }
func (e event) Data() string  { return e.data }

var _ eventsource.Event = event{}

func putEvent(content autoconfig.PutContent) event {
	return jsonEvent(autoconfig.PutEvent, autoconfig.PutMessageData{Path: "/", Data: content})
}

// patchEvent has room for filters, which autoconfig.PatchMessageData has not.
func patchEvent(path string, data any) event {
	return jsonEvent(autoconfig.PatchEvent, struct {
		Path string `json:"path"`
		Data any    `json:"data"`
	}{path, data})
}

func deleteEvent(path string, version int) event {
	return jsonEvent(autoconfig.DeleteEvent, autoconfig.DeleteMessageData{Path: path, Version: version})
}

func jsonEvent(name string, data any) event {
	text, err := json.Marshal(data)
	if err != nil {
		// Nothing in these types can fail: strings, numbers, maps and slices of them.
		panic(fmt.Sprintf("autoconfigtest: a %s event can't be written as JSON: %v", name, err))
	}
	return event{name: name, data: string(text)}
}
