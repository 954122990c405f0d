package shared

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// roundPause is the shortest time between two rounds: what changes within it is written together.
const roundPause = 200 * time.Millisecond

// keepInStep writes and reads, in rounds, until the fleet is closed.
func (f *Fleet) keepInStep() {
	period := time.NewTicker(f.period)
	defer period.Stop()
	for {
		ctx, cancel := context.WithTimeout(f.closing, f.timeout)
		err := f.round(ctx)
		cancel()
		f.note(err)
		if !f.pause(roundPause) {
			return
		}
		select {
		case <-f.news:
		case <-period.C:
		case <-f.closing.Done():
			return
		}
	}
}

func (f *Fleet) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-f.closing.Done():
		return false
	}
}

// round writes the parts of the roster that have changed and a heartbeat, and reads the others' heartbeats and those
// parts of their rosters that are new.
func (f *Fleet) round(ctx context.Context) error {
	h, rewrite, publish := f.nextHeartbeat() // before the overview: the roster is at least as new as the heartbeats that it answers
	keys, secret := f.place()
	changed := f.roster.update(f.local.Overview().Relays, h.Number, rewrite, time.Now())
	h.Parts = f.roster.numbers()

	pipe := f.client.Pipeline()
	for _, i := range changed {
		if err := f.writePart(ctx, pipe, keys, secret, i); err != nil {
			return err
		}
	}
	pipe.PExpire(ctx, keys.roster(f.instance), f.expiry)
	sealed, err := secret.seal(kindHeartbeat, f.instance, h)
	if err != nil {
		return err
	}
	pipe.HSet(ctx, keys.hubs(), f.instance, sealed)
	if publish || len(changed) > 0 {
		pipe.Publish(ctx, keys.news(), f.instance)
	}
	hubs := pipe.HGetAll(ctx, keys.hubs())
	if _, err := pipe.Exec(ctx); err != nil {
		f.roster.doubt(changed)
		return err
	}
	return f.read(ctx, keys, secret, hubs.Val())
}

func (f *Fleet) writePart(ctx context.Context, pipe redis.Pipeliner, keys keys, secret secret, number int) error {
	p, field := f.roster.parts[number], strconv.Itoa(number)
	if len(p.Relays) == 0 {
		pipe.HDel(ctx, keys.roster(f.instance), field)
		return nil
	}
	sealed, err := secret.seal(kindPart, partPlace(f.instance, number), p)
	if err != nil {
		return err
	}
	pipe.HSet(ctx, keys.roster(f.instance), field, sealed)
	return nil
}

// nextHeartbeat makes a heartbeat without parts.
func (f *Fleet) nextHeartbeat() (h heartbeat, rewrite, publish bool) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.number++
	f.sent[f.number] = now
	maps.DeleteFunc(f.sent, func(_ uint64, at time.Time) bool { return now.Sub(at) > 2*f.expiry })
	if f.asking {
		f.asking, f.asked, publish = false, f.number, true
	}
	rewrite, f.rewrite = f.rewrite, false
	h = heartbeat{Name: f.name, Number: f.number, Time: now.UTC(), Started: f.started.UTC(), Asks: f.asked, Heard: map[string]heard{}}
	for instance, p := range f.peers {
		h.Heard[instance] = heard{p.Name, p.Number, !p.whole}
		if p.Asks > p.asked {
			p.asked, publish = p.Asks, true
		}
	}
	return h, rewrite, publish || rewrite
}

func (f *Fleet) place() (keys, secret) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keys, f.secret
}

// read takes the heartbeats of others, and reads the parts that they have changed.
func (f *Fleet) read(ctx context.Context, keys keys, secret secret, hubs map[string]string) error {
	var failed []error
	for _, instance := range slices.Sorted(maps.Keys(hubs)) {
		if instance == f.instance {
			continue
		}
		var h heartbeat
		if err := secret.open(kindHeartbeat, instance, []byte(hubs[instance]), &h); err != nil {
			f.ignore("heartbeat", instance, err)
			continue
		}
		if err := f.readPeer(ctx, keys, secret, instance, h); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (f *Fleet) readPeer(ctx context.Context, keys keys, secret secret, instance string, h heartbeat) error {
	wants, ok := f.takeHeartbeat(instance, h)
	if !ok || len(wants) == 0 {
		return nil
	}
	fields := make([]string, len(wants))
	for i, number := range wants {
		fields[i] = strconv.Itoa(number)
	}
	values, err := f.client.HMGet(ctx, keys.roster(instance), fields...).Result()
	if err != nil {
		return err
	}
	fresh := map[int]part{}
	for i, number := range wants {
		text, ok := values[i].(string)
		if !ok {
			continue // it has expired, or was lost
		}
		var p part
		if err := secret.open(kindPart, partPlace(instance, number), []byte(text), &p); err != nil {
			f.ignore("part of a roster", instance, err)
			continue
		}
		if p.valid() {
			fresh[number] = p
		}
	}
	f.takeParts(instance, fresh)
	return nil
}

// takeHeartbeat returns the parts that have to be read now.
func (f *Fleet) takeHeartbeat(instance string, h heartbeat) (wants []int, ok bool) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.peers[instance]
	if p == nil {
		p = &peer{instance: instance}
		f.peers[instance] = p
		f.asking = true
		f.pokeLocked()
	}
	if len(h.Parts) > partCount || !p.accept(h, now) {
		f.ignoreLocked("heartbeat", instance, errOlder)
		return nil, false
	}
	if h.Heard[f.instance].Lacks {
		f.rewrite = true
	}
	if p.Asks > p.asked || f.rewrite {
		f.pokeLocked()
	}
	if h.Ended {
		delete(f.peers, instance)
		f.wakeLocked()
		return nil, false
	}
	wants = p.wants()
	if len(wants) == 0 {
		p.settle(f.instance)
		f.wakeLocked()
	}
	return wants, true
}

func (f *Fleet) takeParts(instance string, fresh map[int]part) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.peers[instance]
	if p == nil {
		return
	}
	for number, part := range fresh {
		if part.Number < p.parts[number].Number {
			f.ignoreLocked("part of a roster", instance, errOlder)
			continue
		}
		p.parts[number] = part
	}
	p.settle(f.instance)
	f.wakeLocked()
}

// leave writes the last heartbeat.
func (f *Fleet) leave() {
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h, _, _ := f.nextHeartbeat()
	h.Ended = true
	keys, secret := f.place()
	sealed, err := secret.seal(kindHeartbeat, f.instance, h)
	if err != nil {
		return
	}
	pipe := f.client.Pipeline()
	pipe.HSet(ctx, keys.hubs(), f.instance, sealed)
	pipe.Del(ctx, keys.roster(f.instance))
	pipe.Publish(ctx, keys.news(), f.instance)
	_, _ = pipe.Exec(ctx) // the others notice that it has gone
}

// listen begins a round when another hub has news. It may miss some: then the next round is by the clock.
func (f *Fleet) listen() {
	for {
		keys, _ := f.place()
		f.subscribe(keys)
		if !f.pause(time.Second) {
			return
		}
	}
}

func (f *Fleet) subscribe(keys keys) {
	subscription := f.client.Subscribe(f.closing, keys.news())
	defer subscription.Close()
	for {
		message, err := subscription.ReceiveMessage(f.closing)
		if err != nil {
			return
		}
		if message.Payload != f.instance {
			f.poke()
		}
	}
}
