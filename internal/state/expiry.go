package state

import (
	"cmp"
	"container/heap"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// ExpiringKey is a key of one environment whose time is to come. One of the two keys is set.
type ExpiringKey struct {
	Environment config.EnvironmentID
	SDKKey      config.SDKKey
	MobileKey   config.MobileKey

	at    time.Time
	index int // in the queue; -1 once it was taken out
}

// expiryQueue knows which key expires next. The zero value is empty.
type expiryQueue struct {
	queue expiryHeap
	byEnv map[config.EnvironmentID][]*ExpiringKey // only environments with an expiring key
}

// set replaces an environment's expiring keys by those in params that expire after now. The same key in another
// environment is another key.
func (q *expiryQueue) set(params envfactory.EnvironmentParams, now time.Time) {
	q.remove(params.EnvID)
	for _, key := range params.AcceptedSDKKeys {
		if key.Expiry.After(now) {
			q.add(&ExpiringKey{Environment: params.EnvID, SDKKey: key.Value, at: key.Expiry})
		}
	}
	for _, key := range params.AcceptedMobileKeys {
		if key.Expiry.After(now) {
			q.add(&ExpiringKey{Environment: params.EnvID, MobileKey: key.Value, at: key.Expiry})
		}
	}
}

func (q *expiryQueue) add(key *ExpiringKey) {
	if q.byEnv == nil {
		q.byEnv = map[config.EnvironmentID][]*ExpiringKey{}
	}
	q.byEnv[key.Environment] = append(q.byEnv[key.Environment], key)
	heap.Push(&q.queue, key)
}

// remove forgets the keys of an environment.
func (q *expiryQueue) remove(env config.EnvironmentID) {
	for _, key := range q.byEnv[env] {
		if key.index >= 0 {
			heap.Remove(&q.queue, key.index)
		}
	}
	delete(q.byEnv, env)
}

// next is when the next key expires.
func (q *expiryQueue) next() (time.Time, bool) {
	if len(q.queue) == 0 {
		return time.Time{}, false
	}
	return q.queue[0].at, true
}

// pop takes out a key whose time has come, the earliest first.
func (q *expiryQueue) pop(now time.Time) (*ExpiringKey, bool) {
	if at, ok := q.next(); !ok || now.Before(at) {
		return nil, false
	}
	return heap.Pop(&q.queue).(*ExpiringKey), true
}

// expiryHeap orders keys by their time. Keys of the same time are ordered by environment and value, so that the order
// is always the same.
type expiryHeap []*ExpiringKey

func (h expiryHeap) Len() int { return len(h) }

func (h expiryHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	return cmp.Or(a.at.Compare(b.at),
		strings.Compare(string(a.Environment), string(b.Environment)),
		strings.Compare(string(a.SDKKey), string(b.SDKKey)),
		strings.Compare(string(a.MobileKey), string(b.MobileKey))) < 0
}

func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *expiryHeap) Push(x any) {
	key := x.(*ExpiringKey)
	key.index = len(*h)
	*h = append(*h, key)
}

func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	key := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	key.index = -1 // no longer in the queue
	return key
}
