package shared

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// listen takes news, calls and replies of other hubs, until the fleet is closed.
func (f *Fleet) listen() {
	const pause = 500 * time.Millisecond
	for {
		at := f.where()
		f.subscribe(at)
		select {
		case <-at.left:
		case <-time.After(pause):
		case <-f.closing.Done():
			return
		}
	}
}

// subscribe listens until the hub leaves the place. Messages may get lost: news are found by the clock then, and calls end
// with an error.
func (f *Fleet) subscribe(at place) {
	mail := at.mail(f.instance)
	subscription := f.client.Subscribe(f.closing, at.news(), mail)
	defer subscription.Close()
	messages := subscription.Channel(redis.WithChannelHealthCheckInterval(f.period))
	for {
		select {
		case m, ok := <-messages:
			switch {
			case !ok:
				return
			case m.Channel == mail:
				f.receive(at, []byte(m.Payload))
			case m.Payload != f.instance:
				f.poke()
			}
		case <-at.left:
			return
		case <-f.closing.Done():
			return
		}
	}
}

// receive takes a call or a reply.
func (f *Fleet) receive(at place, data []byte) {
	var r reply
	if at.open(kindReply, f.instance, data, &r) == nil {
		f.calls.deliver(r)
		return
	}
	var c call
	err := at.open(kindCall, f.instance, data, &c)
	if err == nil {
		err = f.check(c, time.Now())
	}
	if err != nil {
		f.ignore("call", err)
		return
	}
	if f.enter() {
		go func() {
			defer f.running.Done()
			f.serve(at, c)
		}()
	}
}

// where returns the place of the fleet.
func (f *Fleet) where() place {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.place
}
