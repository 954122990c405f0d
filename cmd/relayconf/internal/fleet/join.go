package fleet

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// admit decides whether a relay may take a name. The rpc.StreamServer makes no two calls for one name at once, and the
// next one when a relay that was let in has joined.
func (l *Local) admit(ctx context.Context, name string) error {
	k, ok := ctx.Value(linkKey{}).(*link)
	if !ok {
		return status.Error(codes.Internal, "the stream has no link")
	}
	err := l.authorize(ctx, k, name)
	if err != nil {
		l.refusals.add(time.Now(), name, k.grant.Name(), k.address, err)
	}
	return err
}

// authorize returns why a relay may not take a name.
func (l *Local) authorize(ctx context.Context, k *link, name string) error {
	in, err := introduction(ctx)
	if err != nil {
		return err
	}
	if !k.named.CompareAndSwap(false, true) {
		return status.Error(codes.FailedPrecondition, "a link is for one relay: make another")
	}
	if !k.grant.AllowsRelayName(name) {
		return status.Errorf(codes.PermissionDenied, "with its key, a relay may not have the name %q: see names in the hub's key file", name)
	}
	if err := l.mayHave(name, k.grant.Name()); err != nil {
		return err
	}
	l.mu.Lock()
	older := l.members[name]
	l.mu.Unlock()
	if older != nil && older.instance != in.Instance && l.answersPing(ctx, name) {
		return NameTaken(name, "from "+older.link.address)
	}
	epoch := l.NextEpoch()
	if l.peers != nil {
		if epoch, err = l.peers.Admit(ctx, name, in.Instance); err != nil {
			return err
		}
		if err := l.mayHave(name, k.grant.Name()); err != nil { // as far as the other hubs know
			return err
		}
	}
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	m := &member{link: k, name: name, instance: in.Instance, version: in.Version, protocol: int(in.ProtocolVersion),
		view: l.watch(k.grant, int(in.ProtocolVersion)), since: time.Now(), epoch: epoch}
	l.mu.Lock()
	l.admitted[name] = m
	l.mu.Unlock()
	return nil
}

// mayHave returns an error if the name belongs to another key, or if there is no room for it.
func (l *Local) mayHave(name, key string) error {
	now := time.Now()
	owner, known := l.names.owner(name, now)
	switch {
	case known && owner != key:
		return status.Errorf(codes.AlreadyExists, "the name %q is that of a relay with another key: take another, or have an operator run `relayconf fleet forget`", name)
	case l.names.full(name, now):
		return status.Error(codes.ResourceExhausted, errTooManyNames.Error())
	default:
		return nil
	}
}

// answersPing tells whether the relay that has a name is alive. An error is an answer, too, unless the line has it.
func (l *Local) answersPing(ctx context.Context, name string) bool {
	ctx, cancel := context.WithTimeout(ctx, l.pingTimeout)
	defer cancel()
	return Answers(l.Call(ctx, name, &agentpb.GetVersionInfoRequest{}, &agentpb.VersionInfo{}))
}

// joined is called when a relay has its name. The link of an older one with the name ends soon by itself.
func (l *Local) joined(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.admitted[name]
	delete(l.admitted, name)
	if m == nil {
		return
	}
	l.members[name] = m
	l.names.see(name, m.seen(m.since))
	m.link.member = m
	close(m.link.joined)
	l.refusals.joined(name)
	l.wake()
	l.logger.Info("A relay has joined the fleet", "relay", name, "key", m.link.grant.Name(), "address", m.link.address)
}

func (l *Local) left(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.members[name]
	if m == nil {
		return
	}
	delete(l.members, name)
	l.names.see(name, m.seen(time.Now()))
	l.wake()
	l.logger.Info("A relay has left the fleet", "relay", name)
}
