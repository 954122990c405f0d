package shared

import (
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/rpc"
)

// partCount is in how many parts a roster is written: a change of one of 2,000 relays rewrites thirty.
const partCount = 64

// maxPart is how many relays a part may have.
const maxPart = 5000

// relayRecord is a connected relay as its hub tells the others of it.
type relayRecord struct {
	Name      string        `json:"name"`
	Agent     bool          `json:"agent,omitempty"`
	Address   string        `json:"address,omitempty"`
	Version   string        `json:"version,omitempty"`
	Since     time.Time     `json:"since"`
	Key       string        `json:"key"`
	Applied   string        `json:"applied,omitempty"`
	Sent      string        `json:"sent,omitempty"`
	Want      string        `json:"want,omitempty"`
	Behind    time.Time     `json:"behind,omitzero"`
	RoundTrip time.Duration `json:"roundTrip,omitempty"`
	Status    []byte        `json:"status,omitempty"` // agentpb.Status
	Instance  string        `json:"instance,omitempty"`
	Protocol  int           `json:"protocol,omitempty"`
	Epoch     uint64        `json:"epoch,omitempty"`
}

func recordOf(r fleet.Relay) relayRecord {
	record := relayRecord{Name: r.Name, Agent: r.Agent, Address: r.Address, Version: r.Version, Since: r.Since.Round(0).UTC(), Key: r.Key,
		Applied: r.Applied, Sent: r.Sent, Want: r.Want, RoundTrip: r.RoundTrip, Instance: r.Instance, Protocol: r.Protocol, Epoch: r.Epoch}
	if !r.Behind.IsZero() {
		record.Behind = r.Behind.Round(0).UTC()
	}
	if r.Status != nil {
		record.Status, _ = proto.MarshalOptions{Deterministic: true}.Marshal(r.Status) // valid: it came over the link
	}
	return record
}

// relay returns the relay as its hub sees it.
func (r relayRecord) relay() fleet.Relay {
	relay := fleet.Relay{Name: r.Name, Connected: true, Agent: r.Agent, Address: r.Address, Version: r.Version, Since: r.Since, Key: r.Key,
		Applied: r.Applied, Sent: r.Sent, Want: r.Want, Behind: r.Behind, RoundTrip: r.RoundTrip, Instance: r.Instance, Protocol: r.Protocol,
		Epoch: r.Epoch}
	if len(r.Status) > 0 {
		s := &agentpb.Status{}
		if proto.Unmarshal(r.Status, s) == nil {
			relay.Status = s
		}
	}
	return relay
}

// part is a part of a roster.
type part struct {
	Number uint64        `json:"number"` // of the heartbeat that it was written for
	Relays []relayRecord `json:"relays"`
}

var errPart = errors.New("it is not a part of a roster")

// check refuses relays that no hub of this version would write into the part.
func (p part) check(number int) error {
	if len(p.Relays) > maxPart || p.Number == 0 {
		return errPart
	}
	for _, r := range p.Relays {
		if r.Name == "" || r.Key == "" || partOf(r.Name) != number || r.Agent && (rpc.CheckName(r.Name) != nil || r.Epoch == 0) {
			return errPart
		}
	}
	return nil
}

// decoded returns the relays of the part.
func (p part) decoded() (relays []fleet.Relay) {
	for _, r := range p.Relays {
		relays = append(relays, r.relay())
	}
	return relays
}

// partOf returns the part that has a relay.
func partOf(name string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return int(h.Sum32() % partCount)
}

// roster is a hub's list of its relays, as it has written it.
type roster struct {
	fleet   string // that it was written for
	relays  [partCount][]fleet.Relay
	parts   [partCount]part
	written [partCount]time.Time
	unsure  [partCount]bool // whether the part was written is not known
}

// roundTripPeriod is how often a part is written of which just a round trip has changed.
const roundTripPeriod = 30 * time.Second

// update takes the relays, and returns which parts have to be written. All of them, if asked for, or if they were written
// for another fleet.
func (r *roster) update(relays []fleet.Relay, number uint64, fleetID string, all bool, now time.Time) (changed []int) {
	if r.fleet != fleetID {
		*r = roster{fleet: fleetID}
	}
	var fresh [partCount][]fleet.Relay
	for _, relay := range relays {
		if relay.Connected {
			at := partOf(relay.Name)
			fresh[at] = append(fresh[at], relay)
		}
	}
	for i, relays := range fresh {
		same := slices.EqualFunc(r.relays[i], relays, sameRelay(now.Sub(r.written[i]) < roundTripPeriod))
		if same && !r.unsure[i] && (!all || len(relays) == 0) {
			continue
		}
		r.relays[i], r.written[i], r.unsure[i] = relays, now, false
		r.parts[i] = part{Number: number}
		for _, relay := range relays {
			r.parts[i].Relays = append(r.parts[i].Relays, recordOf(relay))
		}
		changed = append(changed, i)
	}
	return changed
}

// sameRelay compares relays, perhaps without their round trips. A report has a status of its own, which does not change.
func sameRelay(anyRoundTrip bool) func(a, b fleet.Relay) bool {
	return func(a, b fleet.Relay) bool {
		if anyRoundTrip {
			a.RoundTrip = b.RoundTrip
		}
		return a == b
	}
}

// numbers returns the heartbeats that the parts were written for; 0 for a part that is empty.
func (r *roster) numbers() []uint64 {
	numbers := make([]uint64, partCount)
	for i, p := range r.parts {
		if len(p.Relays) > 0 {
			numbers[i] = p.Number
		}
	}
	return numbers
}

// doubt makes parts be written again, since they may not have been.
func (r *roster) doubt(parts []int) {
	for _, i := range parts {
		r.unsure[i] = true
	}
}
