package fleet

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/relayconf/relayconf/hub"
	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/rpc"
)

// The defaults of Options.
const (
	DefaultSeenWithin  = 24 * time.Hour
	DefaultPingTimeout = 10 * time.Second
	// DefaultSettle is twice the longest time that an agent waits before it comes back.
	DefaultSettle = time.Minute
)

// Options say how a fleet is kept.
type Options struct {
	Hub     *hub.Hub
	Name    string // of the hub, for people
	Version string
	Logger  *slog.Logger

	NamesFile   string        // keeps the names of relays; empty: they are kept in memory
	SeenWithin  time.Duration // for how long names are kept. Default: DefaultSeenWithin
	PingTimeout time.Duration // for a relay whose name another wants. Default: DefaultPingTimeout
	Settle      time.Duration // how long relays have to come back to a new hub that nobody tells whom to expect. Default: DefaultSettle
}

// Local is the fleet of one hub. Its methods may be called from any goroutine.
type Local struct {
	hub         *hub.Hub
	name        string
	version     string
	logger      *slog.Logger
	pingTimeout time.Duration
	started     time.Time
	names       *names
	clients     *rpc.Clients
	streams     *rpc.StreamServer
	lastLink    atomic.Uint64
	lastEpoch   atomic.Uint64
	peers       Peers // nil if there is no other hub
	refusals    *refusals

	closing context.Context // ends with Close
	close   context.CancelFunc
	serving sync.WaitGroup // links and view watchers; added to while mu is held and closing has not ended

	mu       sync.Mutex
	admitted map[string]*member // by name: relays that may join, until they have
	members  map[string]*member // by name: connected relays with an agent
	views    map[viewKey]*watchedView
	change   chan struct{} // closed, and replaced, when anything has changed
}

var _ Directory = (*Local)(nil)

// member is a connected relay with an agent. Fields that change are guarded by Local.mu.
type member struct {
	link     *link
	name     string
	instance string
	version  string
	protocol int
	view     *watchedView
	since    time.Time
	epoch    uint64

	reported  bool
	applied   string
	appliedAt time.Time // when the hub was told
	status    *agentpb.Status
}

// NewLocal returns the fleet of a hub without relays. Close ends it.
func NewLocal(o Options) (*Local, error) {
	kept, err := openNames(o.NamesFile, cmp.Or(o.SeenWithin, DefaultSeenWithin), cmp.Or(o.Settle, DefaultSettle), o.Logger)
	if err != nil {
		return nil, err
	}
	l := &Local{
		hub:         o.Hub,
		name:        o.Name,
		version:     o.Version,
		logger:      o.Logger,
		pingTimeout: cmp.Or(o.PingTimeout, DefaultPingTimeout),
		started:     time.Now(),
		names:       kept,
		admitted:    map[string]*member{},
		members:     map[string]*member{},
		views:       map[viewKey]*watchedView{},
		change:      make(chan struct{}),
		refusals:    newRefusals(o.Logger),
	}
	for _, s := range kept.byName {
		l.RaiseEpoch(s.Epoch)
	}
	l.closing, l.close = context.WithCancel(context.Background())
	l.clients = rpc.NewClients(rpc.WithJoinFunc(l.joined), rpc.WithLeaveFunc(l.left))
	l.streams = rpc.NewStreamServer(l.clients, rpc.WithAuthorize(l.admit), rpc.WithMaxRequestSize(1<<20))
	l.serving.Go(l.touchNames)
	return l, nil
}

// Close ends all links, and returns when they have ended. The agents come back. It may be called more than once.
func (l *Local) Close() {
	l.seeMembers()
	l.mu.Lock()
	l.close()
	l.mu.Unlock()
	l.streams.Stop()
	l.serving.Wait()
	l.names.close()
}

// enter counts a goroutine in, unless Close was called.
func (l *Local) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing.Err() != nil {
		return false
	}
	l.serving.Add(1)
	return true
}

// touchNames keeps the time up to date at which connected relays were last seen.
func (l *Local) touchNames() {
	period := time.NewTicker(namesPeriod)
	defer period.Stop()
	for {
		select {
		case <-period.C:
			l.seeMembers()
		case <-l.closing.Done():
			return
		}
	}
}

func (l *Local) seeMembers() {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, m := range l.members {
		l.names.see(name, m.seen(now))
	}
}

// seen is the record of the relay's name while it is connected.
func (m *member) seen(now time.Time) Name {
	return Name{Key: m.link.grant.Name(), LastSeen: now, Epoch: m.epoch, Instance: m.instance}
}

// reported takes a report of a relay.
func (l *Local) reported(k *link, report *agentpb.ReportRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := k.member
	if m == nil || l.members[m.name] != m {
		return // another relay has the name by now
	}
	if m.applied != report.AppliedDigest || !m.reported {
		m.appliedAt = time.Now()
	}
	m.reported, m.applied, m.status = true, report.AppliedDigest, report.Status
	l.wake()
}

// Changed implements Directory.
func (l *Local) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.change
}

// wake says that something has changed. It needs the lock.
func (l *Local) wake() {
	close(l.change)
	l.change = make(chan struct{})
}

// Call implements Directory.
func (l *Local) Call(ctx context.Context, name string, request, response proto.Message) error {
	packed, err := anypb.New(request)
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "the request can't be encoded: %v", err)
	}
	payload, err := l.CallEncoded(ctx, name, packed)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(payload, response); err != nil {
		return status.Errorf(codes.Internal, "the answer of %q can't be decoded", name)
	}
	return nil
}

// CallEncoded is Call for a request and an answer that are encoded.
func (l *Local) CallEncoded(ctx context.Context, name string, request *anypb.Any) ([]byte, error) {
	return l.clients.Call(ctx, name, request)
}

// Forget implements Directory.
func (l *Local) Forget(name string) error { return l.ForgetAt(name, l.NextEpoch()) }

// ForgetAt is Forget with an epoch.
func (l *Local) ForgetAt(name string, epoch uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.members[name] != nil {
		return status.Errorf(codes.FailedPrecondition, "the relay %q is connected: it would be back at once", name)
	}
	if !l.names.forget(name, epoch, time.Now()) {
		return status.Errorf(codes.NotFound, "no relay %q was seen within %s", name, l.names.within)
	}
	l.wake()
	return nil
}

// ForgetHub implements Directory.
func (l *Local) ForgetHub(string) error {
	return status.Error(codes.FailedPrecondition, "this hub knows of no others: see --fleet-redis of serve")
}

// Confirm implements Directory. The fleet of one hub is always as it is now.
func (l *Local) Confirm() {}

// unsettled says why relays that are to come back may not have: nobody has told the hub whom to expect.
func (l *Local) unsettled(now time.Time) string {
	if l.names.known(now) {
		return ""
	}
	return fmt.Sprintf("the hub started %s ago and kept no names of relays from before, so some may not have come back yet; "+
		"it is sure in %s", now.Sub(l.started).Round(time.Second), l.names.settles.Sub(now).Round(time.Second))
}
