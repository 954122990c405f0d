package shared

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// call is a call of another hub's relay. It is for once, and soon: it names a recent heartbeat of the hub that it is for.
type call struct {
	ID      string        `json:"id"`     // random
	From    string        `json:"from"`   // instance of the hub that calls
	Number  uint64        `json:"number"` // of the latest heartbeat that the caller has from the other hub
	Relay   string        `json:"relay"`
	Timeout time.Duration `json:"timeout"`
	Request []byte        `json:"request"` // a google.protobuf.Any
}

// reply is the answer to a call.
type reply struct {
	ID       string `json:"id"` // of the call
	Response []byte `json:"response,omitempty"`
	Error    []byte `json:"error,omitempty"` // a google.rpc.Status; absent if there is none
}

// longestCall bounds the time that a call takes.
const longestCall = 30 * time.Second

// maxCalls is how many calls of other hubs are served at once.
const maxCalls = 100

// calls are those to other hubs, and from them.
type calls struct {
	serving chan struct{} // a token for each that is served

	mu      sync.Mutex
	waiting map[string]chan<- reply // by ID
	served  map[string]time.Time    // by ID: those that were taken, for as long as their heartbeats are recent
}

func newCalls() calls {
	return calls{serving: make(chan struct{}, maxCalls), waiting: map[string]chan<- reply{}, served: map[string]time.Time{}}
}

var (
	errReplayed = errors.New("it is a replay")
	errLate     = errors.New("it is too old")
)

// holder is the hub that has a relay.
type holder struct {
	instance, shown string
	number          uint64 // of its latest heartbeat
}

// Call implements fleet.Directory.
func (f *Fleet) Call(ctx context.Context, name string, request, response proto.Message) error {
	h, known := f.elsewhere(name, "")
	if !known {
		return f.local.Call(ctx, name, request, response)
	}
	return f.callPeer(ctx, h, name, request, response)
}

// elsewhere returns the hub that has a relay, unless the relay is connected to this hub, or is the given process.
func (f *Fleet) elsewhere(name, instance string) (h holder, known bool) {
	now := time.Now()
	epoch, number := f.local.LinkEpoch(name), partOf(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	current := f.peers.current(now)
	for _, p := range current {
		if !f.peers.fresh(p, now) || number >= len(p.Parts) || p.Parts[number] == 0 {
			continue
		}
		for _, r := range p.relays[number] {
			if r.Agent && r.Name == name && r.Epoch > epoch && r.Instance != instance {
				epoch = r.Epoch
				h, known = holder{p.instance, f.peers.shown(p, current), p.Number}, true
			}
		}
	}
	return h, known
}

// callPeer calls a relay of another hub.
func (f *Fleet) callPeer(ctx context.Context, h holder, name string, request, response proto.Message) error {
	packed, err := anypb.New(request)
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "the request can't be encoded: %v", err)
	}
	encoded, err := proto.Marshal(packed)
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "the request can't be encoded: %v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	deadline, _ := ctx.Deadline()
	c := call{ID: rand.Text(), From: f.instance, Number: h.number, Relay: name, Timeout: time.Until(deadline), Request: encoded}
	answer := make(chan reply, 1)
	f.calls.expect(c.ID, answer)
	defer f.calls.expect(c.ID, nil)

	at := f.where()
	sealed, err := at.seal(kindCall, h.instance, c)
	if err != nil {
		return status.Errorf(codes.ResourceExhausted, "the call can't be sent to the hub %s: %v", h.shown, err)
	}
	if err := f.client.Publish(ctx, at.mail(h.instance), sealed).Err(); err != nil && ctx.Err() == nil {
		return status.Errorf(codes.Unavailable, "the call could not be sent to the hub %s: %v; try again", h.shown, err)
	}
	select {
	case r := <-answer:
		return r.decode(name, response)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return status.Errorf(codes.DeadlineExceeded, "no answer from the hub %s in time, and the relay may have been called or not: try again", h.shown)
		}
		return status.FromContextError(ctx.Err()).Err()
	case <-f.closing.Done():
		return status.Error(codes.Unavailable, "this hub is shutting down: try another one")
	}
}

func (r reply) decode(name string, response proto.Message) error {
	if len(r.Error) > 0 {
		s := &spb.Status{}
		if proto.Unmarshal(r.Error, s) != nil || s.Code == int32(codes.OK) {
			return status.Errorf(codes.Internal, "the error of %q can't be decoded", name)
		}
		return status.FromProto(s).Err()
	}
	if err := proto.Unmarshal(r.Response, response); err != nil {
		return status.Errorf(codes.Internal, "the answer of %q can't be decoded", name)
	}
	return nil
}

// expect says where the reply to a call goes; nil ends that.
func (c *calls) expect(id string, answer chan<- reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer == nil {
		delete(c.waiting, id)
	} else {
		c.waiting[id] = answer
	}
}

// deliver hands a reply to its call, which may be gone. A second one is dropped.
func (c *calls) deliver(r reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer := c.waiting[r.ID]; answer != nil {
		delete(c.waiting, r.ID)
		answer <- r
	}
}

// first tells whether a call comes for the first time.
func (c *calls) first(id string, now time.Time, window time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for other, at := range c.served {
		if now.Sub(at) > window {
			delete(c.served, other)
		}
	}
	if _, known := c.served[id]; known {
		return false
	}
	c.served[id] = now
	return true
}

// check refuses a call that is old, or that has come before.
func (f *Fleet) check(c call, now time.Time) error {
	f.mu.Lock()
	at, known := f.peers.sent[c.Number]
	f.mu.Unlock()
	switch {
	case !known || now.Sub(at) > 2*f.peers.expiry:
		return errLate
	case !f.calls.first(c.ID, now, 3*f.peers.expiry):
		return errReplayed
	default:
		return nil
	}
}

// serve answers a call of another hub.
func (f *Fleet) serve(at place, c call) {
	ctx, cancel := context.WithTimeout(f.closing, min(c.Timeout, longestCall))
	defer cancel()
	r := reply{ID: c.ID}
	var err error
	select {
	case f.calls.serving <- struct{}{}:
		request := &anypb.Any{}
		if err = proto.Unmarshal(c.Request, request); err == nil {
			r.Response, err = f.local.CallEncoded(ctx, c.Relay, request)
		}
		<-f.calls.serving
	default:
		err = status.Error(codes.ResourceExhausted, "the relay's hub has too many calls of other hubs: try again")
	}
	if err != nil {
		r.Response, r.Error = nil, encodeError(err)
	}
	sealed, err := at.seal(kindReply, c.From, r)
	if err != nil {
		r = reply{ID: c.ID, Error: encodeError(status.Errorf(codes.ResourceExhausted, "the answer of the relay can't be sent from hub to hub (%v): ask its own hub", err))}
		sealed, _ = at.seal(kindReply, c.From, r)
	}
	sending, stop := context.WithTimeout(f.closing, f.timeout)
	defer stop()
	_ = f.client.Publish(sending, at.mail(c.From), sealed) // the caller notices
}

func encodeError(err error) []byte {
	encoded, _ := proto.Marshal(status.Convert(err).Proto())
	return encoded
}
