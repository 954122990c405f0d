package sealed_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/store"
	"github.com/relayconf/relayconf/store/sealed"
)

// bucketStore keeps the configuration in a place that others can read, such as a bucket of a cloud. Here that is a map.
type bucketStore struct {
	box *sealed.Box

	mu     sync.Mutex
	bucket map[string][]byte
}

const object = "relayconf/snapshot"

func (s *bucketStore) Load(ctx context.Context) (*autoconfig.Snapshot, error) {
	s.mu.Lock()
	data, found := s.bucket[object]
	s.mu.Unlock()
	if !found || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	snapshot, err := s.box.Open(append([]byte(nil), data...)) // Open decrypts in place
	if err != nil {
		return nil, &store.UnreadableError{Place: s.String(), Reason: err}
	}
	return snapshot, nil
}

func (s *bucketStore) Save(ctx context.Context, snapshot *autoconfig.Snapshot) error {
	data, err := s.box.Seal(snapshot)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if former, found := s.bucket[object]; found {
		switch unreadable := s.box.CheckHeader(former); {
		case errors.Is(unreadable, sealed.ErrForeign):
			return &store.UnreadableError{Place: s.String(), Reason: unreadable}
		case unreadable != nil:
			s.bucket[object+".aside"] = former // somebody may have the key for it
		}
	}
	s.bucket[object] = data
	return nil
}

// RotateKey makes it an autoconfig.KeyedStore.
func (s *bucketStore) RotateKey(former, key config.AutoConfigKey) { s.box.RotateKey(former, key) }

// String names it in the log of a manager.
func (s *bucketStore) String() string { return "the object " + object }

// A store of your own encrypts as the others do. Package storetest tests it.
func Example_aStoreOfYourOwn() {
	const key, newKey config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000001", "rel-00000000-0000-4000-8000-000000000002"
	box, err := sealed.NewBox(key, nil, sealed.DefaultMaxSize)
	if err != nil {
		fmt.Println(err)
		return
	}
	cache := &bucketStore{box: box, bucket: map[string][]byte{}}
	var _ autoconfig.KeyedStore = cache // for autoconfig.WithStore(cache)

	// A manager does this by itself.
	ctx := context.Background()
	cache.RotateKey(key, newKey)
	err = cache.Save(ctx, &autoconfig.Snapshot{FormatVersion: autoconfig.SnapshotFormat, SavedAt: time.Now()})
	fmt.Println("saved:", err == nil)

	// A relay that starts with the former key alone can't read it, and leaves it where it is.
	former, err := sealed.NewBox(key, nil, sealed.DefaultMaxSize)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = (&bucketStore{box: former, bucket: cache.bucket}).Load(ctx)
	fmt.Println(errors.Is(err, sealed.ErrWrongKey))
	snapshot, err := cache.Load(ctx)
	fmt.Println(len(snapshot.Environments), err)
	// Output:
	// saved: true
	// true
	// 0 <nil>
}
