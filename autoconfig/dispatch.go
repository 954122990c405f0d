package autoconfig

import (
	"context"
	"time"
)

// dispatcher makes the calls of the relay's handler.
type dispatcher struct {
	handler    MessageHandler
	filters    FilterHandler    // nil if the handler is none
	mobileKeys MobileKeyHandler // nil if the handler is none
	keepAlives KeepAliveHandler // nil if the handler is none
}

func newDispatcher(handler MessageHandler) dispatcher {
	d := dispatcher{handler: handler}
	d.filters, _ = handler.(FilterHandler)
	d.mobileKeys, _ = handler.(MobileKeyHandler)
	d.keepAlives, _ = handler.(KeepAliveHandler)
	return d
}

// changes makes the call for each change, until the manager is closed. What has expired at that time is left out of
// the params.
func (d dispatcher) changes(ctx context.Context, changes []change, now time.Time) {
	for i := range changes {
		if ctx.Err() != nil {
			return
		}
		d.change(&changes[i], now)
	}
}

func (d dispatcher) change(c *change, now time.Time) {
	switch c.kind {
	case addEnvironment:
		d.handler.AddEnvironment(c.env.value.params(c.env.version, now))
	case updateEnvironment:
		d.handler.UpdateEnvironment(c.env.value.params(c.env.version, now))
	case deleteEnvironment:
		d.handler.DeleteEnvironment(c.envID)
	case receivedAll:
		d.handler.ReceivedAllEnvironments()
	case addFilter:
		if d.filters != nil {
			d.filters.AddFilter(*c.filter)
		}
	case deleteFilter:
		if d.filters != nil {
			d.filters.DeleteFilter(c.filter.ID)
		}
	case keyExpired:
		d.keyExpired(c.expiry)
	}
}

func (d dispatcher) keyExpired(key *expiringKey) {
	if key.mobileKey == "" {
		d.handler.KeyExpired(key.env, key.sdkKey)
	} else if d.mobileKeys != nil {
		d.mobileKeys.MobileKeyExpired(key.env, key.mobileKey)
	}
}

// keepAlive passes a comment on. The string is made only if somebody wants it.
func (d dispatcher) keepAlive(comment []byte) {
	if d.keepAlives != nil {
		d.keepAlives.KeepAlive(string(comment))
	}
}
