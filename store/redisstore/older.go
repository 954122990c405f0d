package redisstore

import "github.com/relayconf/relayconf/autoconfig"

// Older reports whether snapshot a is older than b by the versions in them: at least one of the environments and
// filters that both have is older in a, and none is newer.
//
// What only one of them has says nothing: it may have been added since, or removed. So of two snapshots that differ in
// nothing else, neither is older, and nor is one that is newer in some and older in others, as when the service was
// restored from a backup. The times at which they were saved do not count, since the clocks of relays differ, and since
// a relay that lost its stream may save an old configuration late.
func Older(a, b *autoconfig.Snapshot) bool {
	older := false
	for id, rep := range a.Environments {
		if other, ok := b.Environments[id]; ok {
			if rep.Version > other.Version {
				return false
			}
			older = older || rep.Version < other.Version
		}
	}
	for id, rep := range a.Filters {
		if other, ok := b.Filters[id]; ok {
			if rep.Version > other.Version {
				return false
			}
			older = older || rep.Version < other.Version
		}
	}
	return older
}
