package main

import (
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
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

// Fleet describes the relays that the hub knows.
func (h pageHub) Fleet() page.Fleet {
	overview := h.server.directory().Overview()
	shown := page.Fleet{Relays: make([]page.Relay, 0, len(overview.Relays)), Completeness: page.Completeness{Problem: overview.Incomplete, Notice: overview.Unsettled}}
	for _, r := range overview.Relays {
		shown.Relays = append(shown.Relays, pageRelay(r, overview.Hub))
	}
	return shown
}

// pageRelay describes a relay. The name of its hub is left out if that is this one.
func pageRelay(r fleet.Relay, thisHub string) page.Relay {
	shown := page.Relay{ID: r.Name, Name: r.Name, Sync: syncOf(r), BehindSince: page.At(r.Behind), Address: r.Address,
		RoundTrip: r.RoundTrip.Seconds(), Version: r.Version, Since: page.At(r.Since)}
	if r.Hub != thisHub {
		shown.Hub = r.Hub
	}
	if !r.Agent {
		shown.ID += "\n" + r.Hub // each hub has relays of these names; an agent's name has no line feed
	}
	if state := r.Status.GetState(); state != string(autoconfig.StateValid) {
		shown.Status = state
	}
	return shown
}

func syncOf(r fleet.Relay) page.Sync {
	switch {
	case !r.Connected:
		return page.Absent
	case r.Want == "":
		return page.Unknown
	case r.InSync():
		return page.InSync
	case r.SentAll():
		return page.Sent
	}
	return page.Behind
}

// tee passes changes to the hub, and then to the page.
type tee struct {
	autoconfig.MessageHandler
	hub  *hub.Hub
	page *page.Page // nil without an admin listener

	checkPatterns func() // called after a put, and after each reread of files
	always        bool   // files: there are no patches
}

// changes returns the handler of everything that the source brings.
func (s *server) changes() tee {
	return tee{s.hub.Handler(), s.hub, s.page, s.checkPatterns, s.options.environments != ""}
}

// Changes is autoconfig.ChangeHandler.
func (t tee) Changes(put bool, changes []autoconfig.Change) {
	t.hub.Changes(put, changes)
	if t.page != nil {
		t.page.Changes(put, changes)
	}
	if put || t.always {
		t.checkPatterns()
	}
}
