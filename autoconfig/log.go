package autoconfig

import (
	"reflect"
	"strings"

	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/mask"
	"github.com/relayconf/relayconf/internal/sse"
	"github.com/relayconf/relayconf/internal/state"
	"github.com/relayconf/relayconf/internal/wire"
)

// mostLogged is how many changes of one event are logged one by one. A first put of many environments gets one line.
const mostLogged = 20

// logEvent is for debugging. Strings in the data are masked but for those known to be harmless.
func (r *runner) logEvent(item sse.Item) {
	if item.More || r.put != nil {
		r.m.loggers.Debugf("Received a part of event %q: (%d bytes)", mask.Shorten(item.Name), len(item.Data))
		return
	}
	r.m.loggers.Debugf("Received event %q: %s", mask.Shorten(item.Name), mask.JSON(item.Data))
}

// logOutcome logs the changes that a message made, and the parts of it that were ignored.
func (m *StreamManager) logOutcome(out state.Outcome) {
	for _, ignored := range out.Ignored {
		m.loggers.Warnf("%s", ignored)
	}
	if m.loggers.IsDebugEnabled() {
		for _, stale := range out.Stale {
			m.loggers.Debugf("Ignored %q at version %d: version %d is known", mask.Shorten(stale.ID), stale.Version, stale.Known)
		}
	}
	if m.loggers.GetMinLevel() > m.changeLevel {
		return
	}
	if len(out.Changes) > mostLogged {
		m.logCounts(out.Changes)
		return
	}
	for i := range out.Changes {
		m.logChange(&out.Changes[i])
	}
}

func (m *StreamManager) logChange(c *state.Change) {
	id := mask.Visible(mask.Shorten(c.ID))
	log := m.loggers.ForLevel(m.changeLevel)
	switch c.Kind {
	case state.EnvironmentAdded:
		log.Printf("Added environment %s at version %d", nameOf(id, c.Text()), c.Version)
	case state.EnvironmentUpdated:
		log.Printf("Updated environment %s to version %d: %s", nameOf(id, c.Text()), c.Version, differences(c.Old, c.Text()))
	case state.EnvironmentDeleted, state.EnvironmentRemoved:
		if c.Old != "" {
			log.Printf("Removed environment %s", nameOf(id, c.Old))
		}
	case state.FilterAdded:
		log.Printf("Added filter %s", id)
	case state.FilterDeleted, state.FilterRemoved:
		if c.Old != "" {
			log.Printf("Removed filter %s", id)
		}
	case state.KeyExpired:
		if c.Key.MobileKey == "" {
			log.Printf("SDK key %s of environment %s has expired", mask.Visible(c.Key.SDKKey.String()), id)
		} else {
			log.Printf("Mobile key %s of environment %s has expired", mask.Visible(c.Key.MobileKey.String()), id)
		}
	}
}

func (m *StreamManager) logCounts(changes []state.Change) {
	var added, updated, removed, filtersAdded, filtersRemoved int
	for i := range changes {
		known := changes[i].Old != ""
		switch changes[i].Kind {
		case state.EnvironmentAdded:
			added++
		case state.EnvironmentUpdated:
			updated++
		case state.EnvironmentDeleted, state.EnvironmentRemoved:
			if known {
				removed++
			}
		case state.FilterAdded:
			filtersAdded++
		case state.FilterDeleted, state.FilterRemoved:
			if known {
				filtersRemoved++
			}
		}
	}
	m.loggers.ForLevel(m.changeLevel).Printf("Environments: %d added, %d updated, %d removed; filters: %d added, %d removed",
		added, updated, removed, filtersAdded, filtersRemoved)
}

// nameOf is the id and the names of an environment, for people.
func nameOf(id, text string) string {
	rep, _ := wire.DecodeEnvironment(text) // it was decoded before
	return id + " (" + mask.Visible(mask.Shorten(rep.ProjKey+"/"+rep.EnvKey)) + ")"
}

// differences names the members that differ between two texts of an environment.
func differences(old, text string) string {
	before, _ := wire.DecodeEnvironment(old)
	after, _ := wire.DecodeEnvironment(text)
	var names []string
	was, is := reflect.ValueOf(before), reflect.ValueOf(after)
	for _, field := range reflect.VisibleFields(reflect.TypeFor[envfactory.EnvironmentRep]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "version" || reflect.DeepEqual(was.FieldByIndex(field.Index).Interface(), is.FieldByIndex(field.Index).Interface()) {
			continue
		}
		names = append(names, name)
	}
	if names == nil {
		return "no member that is known here"
	}
	return strings.Join(names, ", ")
}
