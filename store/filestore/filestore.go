// Package filestore keeps the last known configuration in one encrypted file, so that a relay can start from it while
// the service is down.
//
// The file is encrypted with AES-256-GCM. Its key is derived by HKDF-SHA256 from the auto-config key and a salt that is
// new with each Save. Only its owner may read it (mode 0600).
package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/atomicfile"
	"github.com/relayconf/relayconf/internal/await"
	"github.com/relayconf/relayconf/internal/sealed"
	"github.com/relayconf/relayconf/store"
)

// Options are those of New. Only Key is needed.
type Options struct {
	// Key is the secret to encrypt with: the auto-config key, or any other one that is long and random.
	Key config.AutoConfigKey
	// OlderKeys are tried, too, when a file is read. When the auto-config key has been rotated, the former one belongs
	// here until the next Save.
	OlderKeys []config.AutoConfigKey
	// MaxSize is the limit of a snapshot in bytes, in the file and as JSON. Default 1 GiB.
	MaxSize int64
	// Report, if it is there, is called by a Save that found a file which can't be used in its place, and set that file
	// aside: with a *store.UnreadableError. (A Load returns it.)
	Report func(error)
}

// Store keeps one snapshot in one file. Any goroutine may use it, and several processes may use the same file.
type Store struct {
	path     string
	box      *sealed.Box
	report   func(error)
	turn     *await.Turn
	replacer atomicfile.Replacer
}

var _ autoconfig.Store = (*Store)(nil)

// New returns a store in the file at path, and touches nothing yet. The folder must exist; the file need not.
func New(path string, options Options) (*Store, error) {
	if path == "" {
		return nil, errors.New("the path of the file for the stored configuration is empty")
	}
	box, err := sealed.NewBox(options.Key, options.OlderKeys, options.MaxSize)
	if err != nil {
		return nil, err
	}
	report := options.Report
	if report == nil {
		report = func(error) {}
	}
	return &Store{path: path, box: box, report: report, turn: await.NewTurn()}, nil
}

// SetKey makes the store encrypt with key from the next Save on. It reads what the former keys have encrypted, too.
// An empty key is ignored.
func (s *Store) SetKey(key config.AutoConfigKey) { s.box.SetKey(key) }

// Load returns the snapshot in the file; nil and no error if there is no file.
//
// A file that can't be used (damaged, foreign, encrypted with another key) is renamed: ".damaged-" and the time are
// appended. The error is then a *store.UnreadableError that says where it is, and the next Load finds no file. Of the
// files set aside, the latest 5 are kept. Any other error, such as a lack of permission, leaves the file alone.
func (s *Store) Load(ctx context.Context) (*autoconfig.Snapshot, error) {
	return await.Do(ctx, s.turn, func() (*autoconfig.Snapshot, error) {
		snapshot, info, err := s.read()
		var unreadable *store.UnreadableError
		if errors.As(err, &unreadable) {
			s.setAside(unreadable, info)
		}
		return snapshot, err
	})
}

// Peek is a Load that sets nothing aside: it only reads.
func (s *Store) Peek(ctx context.Context) (*autoconfig.Snapshot, error) {
	return await.Do(ctx, s.turn, func() (*autoconfig.Snapshot, error) {
		snapshot, _, err := s.read()
		return snapshot, err
	})
}

// Save replaces the file. If it fails, or the context ends before the file is replaced, the former content stays.
// Where there is a file that was clearly not encrypted with one of the store's keys, that is set aside first, as by Load.
func (s *Store) Save(ctx context.Context, snapshot *autoconfig.Snapshot) error {
	_, err := await.Do(ctx, s.turn, func() (struct{}, error) {
		data, err := s.box.Seal(snapshot)
		if err != nil {
			return struct{}{}, fmt.Errorf("could not save the configuration: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return struct{}{}, err
		}
		s.keepWhatIsNotOurs()
		return struct{}{}, s.replacer.Write(ctx, s.path, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	})
	return err
}
