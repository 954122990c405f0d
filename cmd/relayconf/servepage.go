package main

import (
	"fmt"
	"os"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/ops"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/page"
	"github.com/relayconf/relayconf/hub"
)

// pageHub shows the server on the page.
type pageHub struct{ server *server }

// Upstream describes the source of the configuration.
func (h pageHub) Upstream() page.Upstream {
	report, status := h.server.report(), h.server.hub.Status()
	readiness := ops.Assess(report, time.Now())
	up := page.Upstream{
		State:      report.State,
		StateSince: page.At(report.StateSince),
		Condition:  string(readiness.Condition),
		Reason:     readiness.Reason,
		Source:     string(status.Source.Kind),
		Activity:   page.At(report.LastActivity),
		Filters:    status.Filters,
	}
	if e := report.LastError; e != nil {
		up.LastError, up.ErrorTime = e.Message, page.At(e.Time)
	}
	return up
}

// Fleet describes the relays with a stream. Only the state that a relay was sent is known, not the one that it has applied.
func (h pageHub) Fleet() page.Fleet {
	streams := h.server.hub.Relays()
	relays := make([]page.Relay, 0, len(streams))
	for _, s := range streams {
		r := page.Relay{ID: fmt.Sprint("stream ", s.ID), Name: s.KeyName, Sync: page.Behind, Address: s.Address,
			Version: s.UserAgent, Since: page.At(s.Since)}
		if s.Current {
			r.Sync = page.Sent
		}
		relays = append(relays, r)
	}
	return page.Fleet{Relays: relays}
}

// tee passes changes to the hub, and then to the page.
type tee struct {
	autoconfig.MessageHandler
	hub  *hub.Hub
	page *page.Page // nil without an admin listener
}

// changes returns the handler of everything that the source brings.
func (s *server) changes() tee { return tee{s.hub.Handler(), s.hub, s.page} }

// hubName is how operators know this hub.
func hubName() string {
	name, err := os.Hostname()
	if err != nil {
		return "hub"
	}
	return name
}

// Changes is autoconfig.ChangeHandler.
func (t tee) Changes(put bool, changes []autoconfig.Change) {
	t.hub.Changes(put, changes)
	if t.page != nil {
		t.page.Changes(put, changes)
	}
}
