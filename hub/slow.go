package hub

import "time"

// A relay that takes a put more slowly than this is dropped when others need the put's place.
const (
	slowestTake = 16 << 10 // bytes per second
	takeGrace   = 5 * time.Second
)

// dropSlow drops the relays that take a put of a view too slowly. It is called with Hub.mu, when a put has no place.
func (h *Hub) dropSlow(v *view, encoding encoding, now time.Time) {
	of := &v.bodies[encoding]
	if now.Sub(of.checked) < slowCheck/2 { // another relay that waits has just looked
		return
	}
	of.checked = now
	for r := range h.relays {
		if r.taking != nil && r.view == v && r.encoding == encoding && r.tooSlow(now) {
			r.stop(endSlow)
		}
	}
}

func (r *relay) tooSlow(now time.Time) bool {
	took := now.Sub(r.takingSince)
	return took >= takeGrace && float64(r.out.written.Load()-r.takingFrom) < slowestTake*took.Seconds()
}
