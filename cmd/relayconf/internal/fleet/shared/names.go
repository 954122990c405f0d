package shared

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/link/rpc"
)

// nameTable is the names in Redis, as they were last read or written.
type nameTable struct {
	fleet   string
	mark    string    // of the state that was read last
	read    time.Time // zero: it was not read yet
	stored  map[string]fleet.Name
	all     bool // it is stored that these are the names of all relays that are to be expected
	touched time.Time
}

func newNameTable() nameTable { return nameTable{stored: map[string]fleet.Name{}} }

const (
	// rereadPeriod is how often the names are read that have not changed, as far as hubs have told: lost ones are written again.
	rereadPeriod = time.Minute
	// touchPeriod is how often the time is written, at most, at which connected relays were last seen, for all that are due.
	touchPeriod = time.Minute
	// touchAge is the age of a record that is due, as a part of the time for which names are kept.
	touchAge = 50
)

// allField is a field of the hash of names that is no name. A hub that knows whom to expect writes it together with the names
// that are not there yet, so that a hub which finds it knows, too. Names alone may be those of the first relays to come back.
const allField = ""

// allNames is the record in allField.
type allNames struct{}

var errNoName = errors.New("it is not of a relay")

// syncNames makes the names of this hub and those in Redis the same.
func (f *Fleet) syncNames(ctx context.Context, at place, mark string) error {
	t := &f.names
	if t.fleet != at.fleet {
		*t = newNameTable()
		t.fleet = at.fleet
	}
	if t.mark != mark || time.Since(t.read) > rereadPeriod {
		if err := f.readNames(ctx, at); err != nil {
			return err
		}
		t.read, t.mark = time.Now(), mark
	}
	return f.writeNames(ctx, at)
}

func (f *Fleet) readNames(ctx context.Context, at place) error {
	values, err := f.client.HGetAll(ctx, at.names()).Result()
	if err != nil {
		return err
	}
	mark, all := values[allField]
	if all {
		if err := at.open(kindAll, allField, []byte(mark), &allNames{}); err != nil {
			all = false
			f.ignore("mark of all names", err)
		}
		delete(values, allField)
	}
	stored := make(map[string]fleet.Name, len(values))
	var old []string
	for name, text := range values {
		var s fleet.Name
		switch err := f.openName(at, name, text, &s); {
		case err != nil:
			f.ignore("name of a relay", err)
		case time.Since(s.LastSeen) > 2*f.peers.within:
			old = append(old, name)
		default:
			stored[name] = s
		}
	}
	f.names.stored, f.names.all = stored, all
	f.local.MergeNames(stored)
	if all {
		f.local.Settle()
	}
	if len(old) > 0 {
		return f.client.HDel(ctx, at.names(), old...).Err()
	}
	return nil
}

func (f *Fleet) openName(at place, name, text string, s *fleet.Name) error {
	if err := at.open(kindName, name, []byte(text), s); err != nil {
		return err
	}
	if rpc.CheckName(name) != nil || s.Key == "" {
		return errNoName
	}
	return nil
}

// writeNames writes the names that are not in Redis, or not as they are now.
func (f *Fleet) writeNames(ctx context.Context, at place) error {
	t, now := &f.names, time.Now()
	touch := now.Sub(t.touched) >= min(touchPeriod, f.peers.within/touchAge)
	var fields []any
	written := map[string]fleet.Name{}
	for name, s := range f.local.Names() {
		stored, known := t.stored[name]
		due := touch && s.LastSeen.Sub(stored.LastSeen) > f.peers.within/touchAge
		if known && stored.Epoch >= s.Epoch && !due {
			continue
		}
		s.LastSeen = s.LastSeen.Round(0).UTC()
		sealed, err := at.seal(kindName, name, s)
		if err != nil {
			return err
		}
		fields, written[name] = append(fields, name, sealed), s
	}
	all := f.local.Settled()
	if all && !t.all {
		sealed, err := at.seal(kindAll, allField, allNames{})
		if err != nil {
			return err
		}
		fields = append(fields, allField, sealed)
	}
	if touch {
		t.touched = now
	}
	if len(fields) == 0 {
		return nil
	}
	pipe := f.client.Pipeline()
	pipe.HSet(ctx, at.names(), fields...)
	// The mark is not noted: another hub may have written in between, so the names are read once more.
	pipe.Set(ctx, at.namesMark(), rand.Text(), 2*f.peers.within)
	pipe.Publish(ctx, at.news(), f.instance)
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for name, s := range written {
		t.stored[name] = s
	}
	t.all = t.all || all
	f.poke()
	return nil
}

// namesIn returns the names of the relays with an agent in parts of a roster.
func namesIn(parts map[int]part, now time.Time) map[string]fleet.Name {
	names := map[string]fleet.Name{}
	for _, p := range parts {
		for _, r := range p.Relays {
			if r.Agent && r.Epoch >= names[r.Name].Epoch {
				names[r.Name] = fleet.Name{Key: r.Key, LastSeen: now, Epoch: r.Epoch, Instance: r.Instance}
			}
		}
	}
	return names
}
