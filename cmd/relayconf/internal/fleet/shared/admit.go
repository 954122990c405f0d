package shared

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// admitTimeout is how long a relay that joins waits for Redis.
const admitTimeout = time.Second

// Admit implements fleet.Peers. Without Redis it admits everybody, by the hub's own clock.
func (f *Fleet) Admit(ctx context.Context, name, instance string) (uint64, error) {
	if holder, known := f.elsewhere(name, instance); known {
		ping, cancel := context.WithTimeout(ctx, f.local.PingTimeout())
		err := f.callPeer(ping, holder, name, &agentpb.GetVersionInfoRequest{}, &agentpb.VersionInfo{})
		cancel()
		if fleet.Answers(err) {
			return 0, fleet.NameTaken(name, "to the hub "+holder.shown)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, admitTimeout)
	defer cancel()
	if f.failing() == nil {
		f.learnName(ctx, name)
		if epoch, err := f.takeEpoch(ctx); err == nil {
			return epoch, nil
		}
	}
	return f.local.NextEpoch(), nil
}

// learnName passes on all that the other hubs have written of a name.
func (f *Fleet) learnName(ctx context.Context, name string) {
	at := f.where()
	text, err := f.client.HGet(ctx, at.names(), name).Result()
	if err != nil {
		return // it is new, or Redis fails
	}
	var s fleet.Name
	if err := f.openName(at, name, text, &s); err != nil {
		f.ignore("name of a relay", err)
		return
	}
	f.local.MergeNames(map[string]fleet.Name{name: s})
}

// takeEpoch takes an epoch that is higher than all that were taken, also if Redis has lost its counter: higher
// than those that this hub knows, and than any that was taken by the clock before this hub started.
func (f *Fleet) takeEpoch(ctx context.Context) (uint64, error) {
	at := f.where()
	epoch, err := f.client.Incr(ctx, at.epoch()).Result()
	if err != nil {
		return 0, err
	}
	if least := max(f.local.LastEpoch(), fleet.EpochAt(f.started)) + 1; uint64(epoch) < least {
		if epoch, err = f.client.IncrBy(ctx, at.epoch(), int64(least)-epoch).Result(); err != nil {
			return 0, err
		}
	}
	f.local.RaiseEpoch(uint64(epoch))
	return uint64(epoch), nil
}

// raiseCounter makes the counter in Redis at least as high as the epochs that this hub knows. Some were taken by the clock.
func (f *Fleet) raiseCounter(ctx context.Context, at place, counter uint64) error {
	if last := f.local.LastEpoch(); counter < last {
		return f.client.IncrBy(ctx, at.epoch(), int64(last-counter)).Err()
	}
	return nil
}

func errConnected(name, hub string) error {
	return status.Errorf(codes.FailedPrecondition, "the relay %q is connected to the hub %s: it would be back at once", name, hub)
}

func errNotShared(what string, err error) error {
	return status.Errorf(codes.Unavailable, "the other hubs can't be told to forget %s, since Redis does not answer: try again later (%v)", what, err)
}
