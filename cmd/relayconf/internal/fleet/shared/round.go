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

// roundPause is the shortest time between two rounds: changes within it are written together.
const roundPause = 200 * time.Millisecond

// keepInStep writes and reads, in rounds, until the fleet is closed.
func (f *Fleet) keepInStep() {
	period := time.NewTicker(f.period)
	defer period.Stop()
	for {
		ctx, cancel := context.WithTimeout(f.closing, f.timeout)
		start := time.Now()
		round := f.round
		if f.namesOnly {
			round = f.nameRound
		}
		err := round(ctx)
		cancel()
		f.note(err, start)
		if !f.pause(roundPause) {
			return
		}
		select {
		case <-f.poked:
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
	now := time.Now()
	f.mu.Lock()
	at := f.place
	h, rewrite, tell := f.peers.nextHeartbeat(now) // before the overview, which is then newer than the heartbeats that it answers
	f.mu.Unlock()
	changed := f.roster.update(f.local.Overview().Relays, h.Number, at.fleet, rewrite, now)
	h.Parts = f.roster.numbers()

	pipe := f.client.Pipeline()
	for _, i := range changed {
		if err := f.writePart(ctx, pipe, at, i); err != nil {
			return err
		}
	}
	sealed, err := at.seal(kindHeartbeat, f.instance, h)
	if err != nil {
		return err
	}
	pipe.HSet(ctx, at.hubs(), f.instance, sealed)
	pipe.PExpire(ctx, at.roster(f.instance), f.peers.expiry)
	for _, key := range []string{at.hubs(), at.names(), at.namesMark(), at.epoch()} {
		pipe.PExpire(ctx, key, 2*f.peers.within)
	}
	if tell || len(changed) > 0 {
		pipe.Publish(ctx, at.news(), f.instance)
	}
	mark, epoch := pipe.Get(ctx, at.namesMark()), pipe.Get(ctx, at.epoch())
	hubs := pipe.HGetAll(ctx, at.hubs())
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) || hubs.Err() != nil {
		f.roster.doubt(changed)
		return err
	}
	counter, _ := epoch.Uint64() // 0 if it is lost
	if err := f.raiseCounter(ctx, at, counter); err != nil {
		return err
	}
	if err := f.syncNames(ctx, at, mark.Val()); err != nil { // before the rosters, so that no relay is missed that has just left one
		return err
	}
	return f.read(ctx, at, hubs.Val())
}

func (f *Fleet) writePart(ctx context.Context, pipe redis.Pipeliner, at place, number int) error {
	p, field := f.roster.parts[number], strconv.Itoa(number)
	if len(p.Relays) == 0 {
		pipe.HDel(ctx, at.roster(f.instance), field)
		return nil
	}
	sealed, err := at.seal(kindPart, partPlace(f.instance, number), p)
	if err != nil {
		return err
	}
	pipe.HSet(ctx, at.roster(f.instance), field, sealed)
	return nil
}

// read takes the heartbeats of others, and reads the parts that they have changed.
func (f *Fleet) read(ctx context.Context, at place, hubs map[string]string) error {
	var failed []error
	for _, instance := range slices.Sorted(maps.Keys(hubs)) {
		if instance == f.instance {
			continue
		}
		var h heartbeat
		if err := at.open(kindHeartbeat, instance, []byte(hubs[instance]), &h); err != nil {
			f.ignore("heartbeat", err)
			continue
		}
		if time.Since(h.Time) > f.peers.within {
			failed = append(failed, f.client.HDel(ctx, at.hubs(), instance).Err())
			continue
		}
		if err := f.readPeer(ctx, at, instance, h); err != nil {
			failed = append(failed, err)
		}
	}
	f.mu.Lock()
	f.peers.learn(time.Now())
	f.mu.Unlock()
	return errors.Join(failed...)
}

func (f *Fleet) readPeer(ctx context.Context, at place, instance string, h heartbeat) error {
	f.mu.Lock()
	wants, again, err := f.peers.take(instance, h, time.Now())
	f.mu.Unlock()
	if err != nil {
		f.ignore("heartbeat", err)
		return nil
	}
	if again {
		f.poke()
	}
	if len(wants) == 0 {
		return nil
	}
	fields := make([]string, len(wants))
	for i, number := range wants {
		fields[i] = strconv.Itoa(number)
	}
	values, err := f.client.HMGet(ctx, at.roster(instance), fields...).Result()
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
		err := at.open(kindPart, partPlace(instance, number), []byte(text), &p)
		if err == nil {
			err = p.check(number)
		}
		if err != nil {
			f.ignore("part of a roster", err)
			continue
		}
		fresh[number] = p
	}
	f.takeParts(instance, fresh)
	return nil
}

// takeParts takes the parts of another hub's roster. The names in them are seen, and relays that have moved there let go.
func (f *Fleet) takeParts(instance string, fresh map[int]part) {
	seen := namesIn(fresh, time.Now())
	f.local.MergeNames(seen)
	f.mu.Lock()
	err := f.peers.takeParts(instance, fresh)
	f.mu.Unlock()
	if err != nil {
		f.ignore("part of a roster", err)
	}
	for name, s := range seen {
		f.local.Displace(name, s.Epoch)
	}
}

// nameRound writes and reads names, and nothing else.
func (f *Fleet) nameRound(ctx context.Context) error {
	at := f.where()
	mark, err := f.client.Get(ctx, at.namesMark()).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if err := f.syncNames(ctx, at, mark); err != nil {
		return err
	}
	return f.client.PExpire(ctx, at.names(), 2*f.peers.within).Err()
}

// farewell is the time for Redis to take the last words of a hub.
const farewell = time.Second

// saveNames is the last round.
func (f *Fleet) saveNames() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_ = f.nameRound(ctx) // those of the round before are there
}

// leave writes the last heartbeat.
func (f *Fleet) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	f.mu.Lock()
	at := f.place
	h, _, _ := f.peers.nextHeartbeat(time.Now())
	f.mu.Unlock()
	h.Ended, h.Heard = true, nil
	sealed, err := at.seal(kindHeartbeat, f.instance, h)
	if err != nil {
		return
	}
	pipe := f.client.Pipeline()
	pipe.HSet(ctx, at.hubs(), f.instance, sealed)
	pipe.Del(ctx, at.roster(f.instance))
	pipe.Publish(ctx, at.news(), f.instance)
	_, _ = pipe.Exec(ctx) // otherwise the others miss it, and say so
}
