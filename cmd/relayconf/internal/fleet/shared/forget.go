package shared

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Forget implements fleet.Directory. It needs Redis, so that no hub expects the relay.
func (f *Fleet) Forget(name string) error {
	for _, r := range f.Overview().Relays {
		if r.Name == name && r.Connected {
			return errConnected(name, r.Hub)
		}
	}
	ctx, cancel := context.WithTimeout(f.closing, f.timeout)
	defer cancel()
	epoch, err := f.takeEpoch(ctx)
	if err != nil {
		return errNotShared("the relay", err)
	}
	if err := f.local.ForgetAt(name, epoch); err != nil {
		return err
	}
	f.flush(ctx)
	return nil
}

// flush waits for a round that begins now, or for the end of the context.
func (f *Fleet) flush(ctx context.Context) {
	begin := time.Now()
	f.poke()
	for {
		changed := f.Changed()
		f.mu.Lock()
		done := f.state.answered.After(begin)
		f.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// ForgetHub implements fleet.Directory. It writes, for each hub of the name that is not connected, its last heartbeat.
func (f *Fleet) ForgetHub(name string) error {
	now := time.Now()
	f.mu.Lock()
	at := f.place
	gone, connected := map[string]heartbeat{}, name == f.name
	for _, p := range f.peers.current(now) {
		switch {
		case p.Name != name:
		case f.peers.fresh(p, now):
			connected = true
		default:
			h := heartbeat{Name: p.Name, Number: p.Number + 1, Time: p.Time, Started: p.Started, Ended: true}
			gone[p.instance] = h
		}
	}
	f.mu.Unlock()
	switch {
	case len(gone) == 0 && connected:
		return status.Errorf(codes.FailedPrecondition, "the hub %q is connected: it would be back at once", name)
	case len(gone) == 0:
		return status.Errorf(codes.NotFound, "there is no hub %q", name)
	}
	var fields []any
	for instance, h := range gone {
		sealed, err := at.seal(kindHeartbeat, instance, h)
		if err != nil {
			return status.Error(codes.Internal, err.Error())
		}
		fields = append(fields, instance, sealed)
	}
	ctx, cancel := context.WithTimeout(f.closing, f.timeout)
	defer cancel()
	pipe := f.client.Pipeline()
	pipe.HSet(ctx, at.hubs(), fields...)
	pipe.Publish(ctx, at.news(), f.instance)
	if _, err := pipe.Exec(ctx); err != nil {
		return errNotShared("the hub", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for instance, h := range gone {
		_, _, _ = f.peers.take(instance, h, now) // unless it has come back meanwhile
	}
	f.wake()
	return nil
}
