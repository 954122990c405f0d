package autoconfig

import (
	"context"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/state"
	"github.com/relayconf/relayconf/internal/wire"
)

// dispatcher makes the calls of the relay's handler.
type dispatcher struct {
	handler    MessageHandler
	replica    ChangeHandler    // nil if the handler is none
	filters    FilterHandler    // nil if the handler is none
	mobileKeys MobileKeyHandler // nil if the handler is none
	keepAlives KeepAliveHandler // nil if the handler is none
}

func newDispatcher(handler MessageHandler) dispatcher {
	d := dispatcher{handler: handler}
	d.replica, _ = handler.(ChangeHandler)
	d.filters, _ = handler.(FilterHandler)
	d.mobileKeys, _ = handler.(MobileKeyHandler)
	d.keepAlives, _ = handler.(KeepAliveHandler)
	return d
}

// changes makes the call for each change, until the manager is closed. Keys that have expired at that time are left out
// of the params.
func (d dispatcher) changes(ctx context.Context, changes []state.Change, now time.Time) {
	for i := range changes {
		if ctx.Err() != nil {
			return
		}
		d.change(&changes[i], now)
	}
}

func (d dispatcher) change(c *state.Change, now time.Time) {
	switch c.Kind {
	case state.EnvironmentAdded:
		d.handler.AddEnvironment(environmentParams(c.Fresh, now))
	case state.EnvironmentUpdated:
		d.handler.UpdateEnvironment(environmentParams(c.Fresh, now))
	case state.EnvironmentDeleted, state.EnvironmentRemoved:
		if c.Old != "" {
			d.handler.DeleteEnvironment(config.EnvironmentID(c.ID))
		}
	case state.AllReceived:
		d.handler.ReceivedAllEnvironments()
	case state.KeyExpired:
		d.keyExpired(c.Key)
	case state.FilterAdded:
		if d.filters != nil {
			filter, _ := wire.DecodeFilter(c.Text()) // it was decoded before
			d.filters.AddFilter(filter.ToParams(config.FilterID(c.ID)))
		}
	case state.FilterDeleted, state.FilterRemoved:
		if d.filters != nil && c.Old != "" {
			d.filters.DeleteFilter(config.FilterID(c.ID))
		}
	}
}

func environmentParams(item *wire.Item, now time.Time) envfactory.EnvironmentParams {
	params := item.Environment().ToParams()
	if item.Plain {
		return params // no key expires
	}
	return params.At(now)
}

func (d dispatcher) keyExpired(key *state.ExpiringKey) {
	if key.MobileKey == "" {
		d.handler.KeyExpired(key.Environment, key.SDKKey)
	} else if d.mobileKeys != nil {
		d.mobileKeys.MobileKeyExpired(key.Environment, key.MobileKey)
	}
}

// keepAlive passes a comment on. The string is made only if there is a handler for it.
func (d dispatcher) keepAlive(comment []byte) {
	if d.keepAlives != nil {
		d.keepAlives.KeepAlive(string(comment))
	}
}

// publicKinds are the kinds of changes that a ChangeHandler is told.
var publicKinds = map[state.ChangeKind]ChangeKind{
	state.EnvironmentAdded:     EnvironmentChanged,
	state.EnvironmentUpdated:   EnvironmentChanged,
	state.EnvironmentRewritten: EnvironmentChanged,
	state.EnvironmentDeleted:   EnvironmentDeleted,
	state.EnvironmentRemoved:   EnvironmentRemoved,
	state.FilterAdded:          FilterChanged,
	state.FilterUpdated:        FilterChanged,
	state.FilterRewritten:      FilterChanged,
	state.FilterDeleted:        FilterDeleted,
	state.FilterRemoved:        FilterRemoved,
}

// replicate tells a ChangeHandler, if there is one, the changes with their texts.
func (d dispatcher) replicate(put bool, changes []state.Change) {
	if d.replica == nil || !put && len(changes) == 0 {
		return
	}
	public := make([]Change, 0, len(changes))
	for i := range changes {
		c := &changes[i]
		kind, ok := publicKinds[c.Kind]
		if !ok {
			continue
		}
		change := Change{Kind: kind, ID: strings.Clone(c.ID), Version: c.Version} // a part of a text would keep that
		if c.Fresh != nil {
			change.Text = wire.View(c.Fresh.Text)
		}
		public = append(public, change)
	}
	d.replica.Changes(put, public)
}
