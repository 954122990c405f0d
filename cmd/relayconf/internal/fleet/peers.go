package fleet

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Peers are the other hubs of a fleet, as far as they can be asked.
type Peers interface {
	// Admit returns the epoch of a link that a relay is making, higher than that of all earlier links under its name. It is
	// an error, with a gRPC status, if another process has the name at another hub, and answers. Admit also passes to
	// MergeNames all that the others know of the name.
	Admit(ctx context.Context, name, instance string) (epoch uint64, err error)
}

// Join makes the hub one of several. Call it before relays are served.
func (l *Local) Join(peers Peers) { l.peers = peers }

// epochsPerMillisecond leaves room for epochs that several hubs take at once, each by its own clock.
const epochsPerMillisecond = 1 << 20

// EpochAt returns the lowest epoch of a time that is taken by the clock.
func EpochAt(t time.Time) uint64 { return uint64(t.UnixMilli()) * epochsPerMillisecond }

// NextEpoch returns an epoch higher than all earlier ones of this hub. It is random within the millisecond, so that two
// hubs don't take the same one.
func (l *Local) NextEpoch() uint64 {
	for {
		last := l.lastEpoch.Load()
		next := max(last+1, EpochAt(time.Now())+rand.Uint64N(epochsPerMillisecond))
		if l.lastEpoch.CompareAndSwap(last, next) {
			return next
		}
	}
}

// LastEpoch returns the highest epoch that the hub knows.
func (l *Local) LastEpoch() uint64 { return l.lastEpoch.Load() }

// LinkEpoch returns the epoch of a relay's link to this hub, or 0 if it has none.
func (l *Local) LinkEpoch(name string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.members[name]; m != nil {
		return m.epoch
	}
	return 0
}

// RaiseEpoch makes later epochs higher than this one.
func (l *Local) RaiseEpoch(epoch uint64) {
	for {
		last := l.lastEpoch.Load()
		if epoch <= last || l.lastEpoch.CompareAndSwap(last, epoch) {
			return
		}
	}
}

// PingTimeout is the time for a relay to answer whose name another process wants.
func (l *Local) PingTimeout() time.Duration { return l.pingTimeout }

// Names returns the names that were seen within the time that the hub keeps them, and those that were forgotten.
func (l *Local) Names() map[string]Name { return l.names.all(time.Now()) }

// MergeNames takes names of other hubs. Of two records of a name, the one with the higher epoch counts.
func (l *Local) MergeNames(others map[string]Name) {
	for _, other := range others {
		l.RaiseEpoch(other.Epoch)
	}
	if l.names.merge(others, time.Now()) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.wake()
	}
}

// Settle tells the hub that its names are those of all relays that are to be expected: a hub that knows has told it.
func (l *Local) Settle() { l.names.settle() }

// Settled tells whether the hub knows all relays that are to be expected.
func (l *Local) Settled() bool { return l.unsettled(time.Now()) == "" }

// Displace ends the link of a relay whose name belongs to a link with a higher epoch.
func (l *Local) Displace(name string, epoch uint64) {
	l.mu.Lock()
	m := l.members[name]
	l.mu.Unlock()
	if m != nil && m.epoch < epoch {
		l.logger.Info("A relay has its link at another hub now", "relay", name)
		_ = m.link.session.Close() // not with the lock: it tells the relay
	}
}

// Answers tells whether the outcome of a call shows that the relay is alive. An error is an answer, too, unless the line
// has it.
func Answers(err error) bool {
	switch status.Code(err) {
	case codes.DeadlineExceeded, codes.Unavailable, codes.NotFound, codes.Canceled:
		return false
	default:
		return true
	}
}

// NameTaken is the error for a process that wants the name of another one.
func NameTaken(name, where string) error {
	return status.Errorf(codes.AlreadyExists, "a relay with the name %q is connected %s, and answers: give each relay a name of its own", name, where)
}
