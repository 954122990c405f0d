package fleet

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/relayconf/relayconf/hub"
)

// Overview implements Directory.
func (l *Local) Overview() Overview {
	streams := l.hub.Relays() // before the relays: a stream whose link is just being made is shown without agent, not left out
	ready := l.hub.Status().Ready
	now := time.Now()
	o := Overview{Hub: l.name, Unsettled: l.unsettled(now), KnownAt: now}
	l.mu.Lock()
	defer l.mu.Unlock()
	linked := map[identity]bool{}
	views := presentViews{}
	for _, m := range l.members {
		linked[identity{m.instance, m.link.grant.Name()}] = true
		o.Relays = append(o.Relays, l.describe(m, views.of(m.view.grant, m.view.protocol), ready))
	}
	for name, s := range l.names.all(now) {
		switch {
		case s.Forgotten:
			o.Forgotten = append(o.Forgotten, name)
		case l.members[name] == nil:
			linked[identity{s.Instance, s.Key}] = true // its stream may be up while its link is down: it is shown under its name
			o.Relays = append(o.Relays, Relay{Name: name, Agent: true, Since: s.LastSeen, Key: s.Key, Instance: s.Instance, Epoch: s.Epoch})
		}
	}
	slices.SortFunc(o.Relays, func(a, b Relay) int { return cmp.Compare(a.Name, b.Name) })
	o.Relays = append(o.Relays, l.withoutAgent(streams, linked, views)...)
	return o
}

// identity tells which relay a stream and a link belong to. The key is part of it, so that nobody can claim the streams of
// another key.
type identity struct{ instance, key string }

// presentViews are the views that were looked up for one overview.
type presentViews map[viewKey]hub.View

func (p presentViews) of(grant *hub.Grant, protocol int) hub.View {
	key := viewKey{grant, protocol}
	v, known := p[key]
	if !known {
		v = grant.View(protocol)
		p[key] = v
	}
	return v
}

// describe describes a connected relay. It needs the lock.
func (l *Local) describe(m *member, present hub.View, ready bool) Relay {
	r := Relay{
		Name: m.name, Connected: true, Agent: true, Address: m.link.address, Version: m.version, Since: m.since,
		Key: m.link.grant.Name(), Hub: l.name, Applied: m.applied, Status: m.status, Instance: m.instance,
		RoundTrip: time.Duration(m.link.roundTrip.Load()), Protocol: m.view.protocol, Grant: m.link.grant, Epoch: m.epoch,
	}
	if !ready {
		return r
	}
	r.Want = present.Digest
	if r.Applied != r.Want {
		r.Behind = m.view.behindSince(m, present)
	}
	return r
}

// withoutAgent describes the relays that have a stream and no link. A name for them is made of their address.
func (l *Local) withoutAgent(streams []hub.Relay, linked map[identity]bool, views presentViews) (relays []Relay) {
	count := map[string]int{}
	for _, s := range streams {
		if s.Instance != "" && linked[identity{s.Instance, s.KeyName}] {
			continue
		}
		host := host(s.Address)
		count[host]++
		name := "stream:" + host
		if n := count[host]; n > 1 {
			name = fmt.Sprintf("%s#%d", name, n)
		}
		present := views.of(s.Grant, s.ProtocolVersion)
		r := Relay{Name: name, Connected: true, Address: s.Address, Version: shortened(s.UserAgent, 80), Since: s.Since,
			Key: s.KeyName, Hub: l.name, Sent: s.SentDigest, Want: present.Digest, Protocol: s.ProtocolVersion, Instance: s.Instance, Grant: s.Grant}
		if r.Sent != r.Want {
			r.Behind = later(present.Since, s.Since)
		}
		relays = append(relays, r)
	}
	return relays
}

func host(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
