package fleet

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// Directory is a fleet: that of one hub, or the union of several.
type Directory interface {
	// Overview returns all relays at one moment.
	Overview() Overview
	// Changed is closed when an Overview may differ from all earlier ones.
	Changed() <-chan struct{}
	// Call calls a function of a relay's agent and decodes its answer into response. Errors have a gRPC status.
	Call(ctx context.Context, name string, request, response proto.Message) error
	// Forget forgets a relay that is not connected.
	Forget(name string) error
	// ForgetHub forgets a hub that is not connected: the overview is complete without it.
	ForgetHub(name string) error
	// Confirm makes the KnownAt of the overview move on soon.
	Confirm()
}

// Overview is a fleet at one moment.
type Overview struct {
	Hub    string  // the name of the hub that answers
	Relays []Relay // by name; those without agent last

	// Forgotten are names that an operator had the hub forget, and that have not come back.
	Forgotten []string

	// Incomplete says why relays may be missing in Relays; empty if none can be.
	Incomplete string
	// KnownAt is the latest moment after which all of this was found to be so.
	KnownAt time.Time
	// Hubs are all hubs of the fleet, by name; empty if this hub knows of no other.
	Hubs []Hub
	// Unsettled says why relays that were there before may not have come back yet; empty if they have had the time.
	Unsettled string
}

// Relay is a relay of the fleet.
type Relay struct {
	Name      string
	Connected bool
	Agent     bool // it has a link, so Applied is known; otherwise only Sent is known
	Address   string
	Version   string
	Since     time.Time // when it connected, or, if it is not connected, when it was last seen
	Key       string    // name of its key
	Hub       string    // name of the hub that it is connected to

	Applied   string          // digest that it has applied; empty if none is known
	Sent      string          // digest that it was last sent, without agent
	Want      string          // digest of its view
	Behind    time.Time       // since when it has not had the digest of its view; zero if it has, or if that is unknown
	RoundTrip time.Duration   // 0 if it is not known yet
	Status    *agentpb.Status // nil without agent, or if it has not reported yet
	Instance  string          // of its process; not to be shown
	Protocol  int
	Grant     *hub.Grant // this hub's key of that name; nil if it has none, or if the relay is not connected
	Epoch     uint64     // of its link: another one means another process, or another connection
}

// Hub is a hub of the fleet.
type Hub struct {
	Name      string
	Connected bool      // it has been heard of lately
	Since     time.Time // when it started, or, if it is not connected, when it was last heard of
}

// InSync tells whether the relay has applied the configuration of its view.
func (r Relay) InSync() bool { return r.Connected && r.Agent && r.Applied != "" && r.Applied == r.Want }

// SentAll tells whether a relay without agent was sent the configuration of its view.
func (r Relay) SentAll() bool { return r.Connected && !r.Agent && r.Sent != "" && r.Sent == r.Want }
