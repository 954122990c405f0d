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
	"os"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/atomicfile"
	"github.com/relayconf/relayconf/store"
	"github.com/relayconf/relayconf/store/sealed"
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
	// Report, if it is there, is called by a Save that set aside a file which can't be used: with a
	// *store.UnreadableError.
	Report func(error)
}

// Store keeps one snapshot in one file. Any goroutine may use it, and several processes may use the same file.
type Store struct {
	path     string
	box      *sealed.Box
	report   func(error)
	turn     *store.Turn
	unusable *unusableFile // found by the latest Load; nil if that could use the file. Only for calls in their turn

	// The steps that a test can have fail.
	replacer atomicfile.Replacer
	link     func(from, to string) error
	rename   func(from, to string) error
}

var _ autoconfig.KeyedStore = (*Store)(nil)

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
	return &Store{path: path, box: box, report: report, turn: store.NewTurn(), link: os.Link, rename: os.Rename}, nil
}

// String names the place of the store, for logs.
func (s *Store) String() string { return "the file " + s.path }

// SetKey makes the store encrypt with key from the next Save on. It still reads files that are encrypted with the former
// keys. An empty key is ignored.
func (s *Store) SetKey(key config.AutoConfigKey) { s.box.SetKey(key) }

// RotateKey is SetKey for a store that encrypts with former now; with another key it changes nothing. A manager calls it:
// see autoconfig.KeyedStore.
func (s *Store) RotateKey(former, key config.AutoConfigKey) { s.box.RotateKey(former, key) }

// Load returns the snapshot in the file; nil and no error if there is no file. It only reads: a file that can't be used
// (damaged, foreign, encrypted with another key) stays where it is, and the error is a *store.UnreadableError.
func (s *Store) Load(ctx context.Context) (*autoconfig.Snapshot, error) {
	return store.InTurn(ctx, s.turn, func() (*autoconfig.Snapshot, error) {
		snapshot, info, err := s.read()
		s.unusable = nil
		var unreadable *store.UnreadableError
		if errors.As(err, &unreadable) {
			s.unusable = &unusableFile{info, unreadable.Reason}
		}
		return snapshot, err
	})
}

// Save replaces the file. If it fails, or the context ends before the file is replaced, the former content stays.
//
// A file that can't be used stays beside the new one: its name is the former one with the reason and the time appended,
// such as ".other-key-20261121T120000.000000000Z" or ".damaged-…". Of each kind, the latest 5 stay. So does Save with a
// file that a Load could not use, and one whose header says that it is encrypted with another key. A file that is not a
// stored configuration at all is not touched: the error is a *store.UnreadableError with store.ErrForeign.
func (s *Store) Save(ctx context.Context, snapshot *autoconfig.Snapshot) error {
	_, err := store.InTurn(ctx, s.turn, func() (struct{}, error) {
		data, err := s.box.Seal(snapshot)
		if err != nil {
			return struct{}{}, fmt.Errorf("could not save the configuration: %w", err)
		}
		return struct{}{}, s.replace(ctx, data)
	})
	return err
}

// replace puts the data in place of the file, which it sets aside if it can't be used.
func (s *Store) replace(ctx context.Context, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var old *aside
	unreadable, info := s.check()
	if unreadable != nil {
		if errors.Is(unreadable, store.ErrForeign) {
			return unreadable
		}
		if old, unreadable.Failed = s.setAside(unreadable.Kind(), info); unreadable.Failed != nil {
			return unreadable
		}
	}
	err := s.replacer.Write(ctx, s.path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if old == nil {
		return err
	}
	if err != nil {
		old.undo()
		return err
	}
	s.unusable = nil
	old.settle(unreadable)
	s.report(unreadable)
	return nil
}
