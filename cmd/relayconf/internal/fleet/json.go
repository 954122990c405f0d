package fleet

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// RelayJSON is a relay as operators see it. Members may be added, and none changes its meaning.
type RelayJSON struct {
	Name             string      `json:"name"`
	Connected        bool        `json:"connected"`
	Agent            bool        `json:"agent"`  // false: only its stream is known, with the digest sent
	InSync           bool        `json:"inSync"` // it has applied the configuration of its view
	Sent             bool        `json:"sent"`   // without agent: it was sent that, and may have applied it
	BehindSeconds    *float64    `json:"behindSeconds"`
	RoundTripSeconds *float64    `json:"roundTripSeconds"`
	Address          string      `json:"address"`
	Version          string      `json:"version"`
	Since            time.Time   `json:"since"` // when it connected; when it was last seen, if it is not connected
	Status           *StatusJSON `json:"status"`
	Hub              string      `json:"hub"`
	Key              string      `json:"key"` // the name of its key
	Digest           string      `json:"digest"`
	WantDigest       string      `json:"wantDigest"`

	// BehindBy are the environments that the relay lacks; only for a single relay, and null if they could not be found.
	BehindBy []BehindJSON `json:"behindBy,omitempty"`
}

// BehindJSON is an environment that a relay has not applied as it should have.
type BehindJSON struct {
	Environment string `json:"environment"`        // its id
	Applied     *int64 `json:"applied,omitempty"`  // version; absent if the relay does not have it, or is just being told of it
	Expected    *int64 `json:"expected,omitempty"` // version; absent if the relay should not have it
}

// StatusJSON is a relay's own status, as autoconfig.Status has it.
type StatusJSON struct {
	State              string     `json:"state"`
	StateSince         *time.Time `json:"stateSince,omitempty"`
	LastError          *ErrorJSON `json:"lastError,omitempty"`
	LastActivity       *time.Time `json:"lastActivity,omitempty"`
	Connections        uint64     `json:"connections"`
	Environments       int32      `json:"environments"`
	Source             string     `json:"source"`
	Resumed            bool       `json:"resumed"`
	Compressed         bool       `json:"compressed"`
	SnapshotAgeSeconds float64    `json:"snapshotAgeSeconds,omitempty"`
	StoreFailures      uint64     `json:"storeFailures,omitempty"`
}

// ErrorJSON is a relay's last failure.
type ErrorJSON struct {
	Kind       string     `json:"kind"`
	StatusCode int32      `json:"statusCode,omitempty"`
	Message    string     `json:"message"`
	Time       *time.Time `json:"time,omitempty"`
}

// ListJSON is a whole fleet.
type ListJSON struct {
	Hub        string      `json:"hub"`
	Complete   bool        `json:"complete"`
	Incomplete string      `json:"incomplete,omitempty"`
	Hubs       []HubJSON   `json:"hubs,omitempty"` // none if the hub knows of no other
	Relays     []RelayJSON `json:"relays"`
}

// HubJSON is a hub of a fleet that has several.
type HubJSON struct {
	Name      string    `json:"name"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"` // when it started; when it was last heard of, if it is not connected
}

func listJSON(o Overview, now time.Time) ListJSON {
	list := ListJSON{Hub: o.Hub, Complete: o.Incomplete == "", Incomplete: o.Incomplete, Relays: []RelayJSON{}}
	for _, h := range o.Hubs {
		list.Hubs = append(list.Hubs, HubJSON{h.Name, h.Connected, h.Since.UTC().Truncate(time.Millisecond)})
	}
	for _, r := range o.Relays {
		list.Relays = append(list.Relays, relayJSON(r, now))
	}
	return list
}

func relayJSON(r Relay, now time.Time) RelayJSON {
	j := RelayJSON{
		Name: r.Name, Connected: r.Connected, Agent: r.Agent, InSync: r.InSync(), Sent: r.SentAll(), Address: r.Address,
		Version: r.Version, Since: r.Since.UTC().Truncate(time.Millisecond), Hub: r.Hub, Key: r.Key, Digest: r.Applied, WantDigest: r.Want,
		Status: statusJSON(r.Status),
	}
	if !r.Behind.IsZero() {
		j.BehindSeconds = new(max(0, now.Sub(r.Behind)).Seconds())
	}
	if r.RoundTrip > 0 {
		j.RoundTripSeconds = new(r.RoundTrip.Seconds())
	}
	return j
}

func statusJSON(s *agentpb.Status) *StatusJSON {
	if s == nil {
		return nil
	}
	j := &StatusJSON{
		State: s.State, StateSince: timeOf(s.StateSince), LastActivity: timeOf(s.LastActivity), Connections: s.Connections,
		Environments: s.Environments, Source: s.Source, Resumed: s.Resumed, Compressed: s.Compressed,
		SnapshotAgeSeconds: s.SnapshotAge.AsDuration().Seconds(), StoreFailures: s.StoreFailures,
	}
	if e := s.LastError; e != nil {
		j.LastError = &ErrorJSON{Kind: e.Kind, StatusCode: e.StatusCode, Message: e.Message, Time: timeOf(e.Time)}
	}
	return j
}

// timeOf returns nil for no time, and for one that makes no sense.
func timeOf(t *timestamppb.Timestamp) *time.Time {
	if t == nil || t.CheckValid() != nil {
		return nil
	}
	return new(t.AsTime())
}
