package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/relayconf/relayconf/internal/atomicfile"
)

// maxNames bounds the names that are remembered, against a relay that takes a new one again and again.
const maxNames = 20_000

// Name is the record that is kept with a relay's name.
type Name struct {
	Key       string    `json:"key"` // name of the key that the relay had
	LastSeen  time.Time `json:"lastSeen"`
	Epoch     uint64    `json:"epoch,omitempty"`     // of its latest link, or of its being forgotten
	Instance  string    `json:"instance,omitempty"`  // of its latest process
	Forgotten bool      `json:"forgotten,omitempty"` // an operator had it forgotten, and it has not come back
}

// merge returns the later one of two records of a name: that of the higher epoch.
func (s Name) merge(other Name) Name {
	switch {
	case s.Epoch > other.Epoch, s.Epoch == other.Epoch && s.LastSeen.After(other.LastSeen):
		return s
	default:
		return other
	}
}

// names are the names that were seen within a time, kept in a file so that a hub that restarts knows whom to expect.
type names struct {
	path    string // empty: they are kept in memory only
	within  time.Duration
	settles time.Time // when the relays that were there before have had the time to come back
	logger  *slog.Logger

	mu     sync.Mutex
	byName map[string]Name
	told   bool // by the file, or by another hub, all relays that are to be expected

	dirty   chan struct{}
	done    chan struct{}
	closing sync.Once
	ended   chan struct{}
}

type namesFile struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	All     bool            `json:"all"` // the hub knew whom to expect
	Names   map[string]Name `json:"names"`
}

const (
	namesFormat = "relayconf-fleet-names"
	// namesPeriod is how often the time is saved at which connected relays were last seen. New names are saved at once.
	namesPeriod = time.Minute
)

// openNames reads the file. One that is not there is made later; one that can't be read is an error, since to go on
// without it would be to forget relays.
func openNames(path string, within, settle time.Duration, logger *slog.Logger) (*names, error) {
	n := &names{path: path, within: within, settles: time.Now().Add(settle), logger: logger, byName: map[string]Name{},
		dirty: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan struct{})}
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the names of the fleet's relays can't be read: %w", err)
		}
		if err == nil {
			if err := n.decode(data); err != nil {
				return nil, fmt.Errorf("the names of the fleet's relays in %s can't be used (%w): remove the file, and the hub forgets them", path, err)
			}
		}
	}
	go n.keep()
	return n, nil
}

func (n *names) decode(data []byte) error {
	var file namesFile
	if err := json.Unmarshal(data, &file); err != nil {
		return errors.New("it is not JSON of the expected form")
	}
	if file.Format != namesFormat || file.Version != 1 {
		return fmt.Errorf("its format is %q, version %d: expected %q, version 1", file.Format, file.Version, namesFormat)
	}
	n.told = file.All
	if file.Names != nil {
		n.byName = file.Names
	}
	return nil
}

// close saves the names for the last time.
func (n *names) close() {
	n.closing.Do(func() { close(n.done) })
	<-n.ended
}

// keep saves the names whenever they change.
func (n *names) keep() {
	defer close(n.ended)
	for {
		select {
		case <-n.dirty:
			n.save()
		case <-n.done:
			n.save()
			return
		}
	}
}

func (n *names) save() {
	if n.path == "" {
		return
	}
	n.mu.Lock()
	expected := maps.Clone(n.byName)
	n.mu.Unlock()
	maps.DeleteFunc(expected, func(_ string, s Name) bool { return s.Forgotten })
	data, err := json.Marshal(namesFile{namesFormat, 1, n.known(time.Now()), expected})
	if err == nil {
		err = atomicfile.Write(n.path, data)
	}
	if err != nil {
		n.logger.Error("The names of the fleet's relays could not be saved; a restart would forget some of them", "error", err)
	}
}

func (n *names) changed() {
	select {
	case n.dirty <- struct{}{}:
	default:
	}
}

var errTooManyNames = fmt.Errorf("this hub remembers %d names of relays, and no more: `relayconf fleet forget` those that are gone", maxNames)

// see notes that a relay is connected. A new name is saved at once.
func (n *names) see(name string, s Name) {
	n.mu.Lock()
	before, known := n.byName[name]
	if before.Epoch > s.Epoch {
		n.mu.Unlock()
		return // it has gone elsewhere, or was forgotten
	}
	n.byName[name] = s
	n.prune(s.LastSeen)
	n.mu.Unlock()
	if !known || before.Key != s.Key || before.Forgotten || s.LastSeen.Sub(before.LastSeen) >= namesPeriod {
		n.changed()
	}
}

// merge takes records of other hubs. It returns whether any of them is news.
func (n *names) merge(others map[string]Name, now time.Time) (news bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, other := range others {
		before, known := n.byName[name]
		after := before.merge(other)
		if known && after == before || now.Sub(after.LastSeen) > n.within {
			continue
		}
		n.byName[name] = after
		news = news || !known || after.Epoch != before.Epoch
	}
	if news {
		n.changed()
	}
	return news
}

// full tells whether there is no room for a name.
func (n *names) full(name string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.prune(now)
	if s, known := n.byName[name]; known && !s.Forgotten {
		return false
	}
	count := 0
	for _, s := range n.byName {
		if !s.Forgotten {
			count++
		}
	}
	return count >= maxNames
}

// owner returns the name of the key that a name was seen with.
func (n *names) owner(name string, now time.Time) (key string, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.prune(now)
	s, known := n.byName[name]
	return s.Key, known && !s.Forgotten
}

// forget drops a name at an epoch. It returns false if it was not known.
func (n *names) forget(name string, epoch uint64, now time.Time) bool {
	n.mu.Lock()
	s, known := n.byName[name]
	known = known && !s.Forgotten
	if known {
		n.byName[name] = Name{Key: s.Key, LastSeen: now, Epoch: epoch, Forgotten: true}
	}
	n.mu.Unlock()
	n.changed()
	return known
}

// all returns a copy, with the names that were forgotten.
func (n *names) all(now time.Time) map[string]Name {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.prune(now)
	return maps.Clone(n.byName)
}

// settle notes that the names are those of all relays that are to be expected.
func (n *names) settle() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = true
}

// known tells whether the hub knows whom to expect.
func (n *names) known(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.told || !now.Before(n.settles)
}

// prune drops names that were not seen for too long. It needs the lock.
func (n *names) prune(now time.Time) {
	for name, s := range n.byName {
		if now.Sub(s.LastSeen) > n.within {
			delete(n.byName, name)
		}
	}
}
