package storetest

import "testing"

const (
	rotatedKey = "rel-00000000-0000-4000-8000-000000000002"
	ownSecret  = "00000000-0000-4000-8000-000000000003"
)

func testWrongKey(t *testing.T, s Subject) {
	if s.WithKey == nil {
		t.Skip("the Subject has no WithKey")
	}
	save(t, s.Store, uniform(3, 1))
	for range 2 {
		if snapshot, err := s.WithKey(t, rotatedKey).Load(t.Context()); err == nil || snapshot != nil {
			t.Fatalf("Load with another key returned %v, %v; want no snapshot and an error", snapshot != nil, err)
		}
		requireStored(t, s.Store, uniform(3, 1))
	}
	// The service has accepted the key: it is no mistake.
	save(t, s.WithKey(t, rotatedKey), uniform(3, 2))
	requireStored(t, s.WithKey(t, rotatedKey), uniform(3, 2))
}

func testRotatedKey(t *testing.T, s Subject) {
	if s.WithKey == nil {
		t.Skip("the Subject has no WithKey")
	}
	follower := s.WithKey(t, Key)
	save(t, follower, uniform(3, 1))
	follower.RotateKey(Key, rotatedKey)
	requireStored(t, follower, uniform(3, 1)) // it still reads the snapshot that it has written
	save(t, follower, uniform(3, 2))
	requireStored(t, s.WithKey(t, rotatedKey), uniform(3, 2))

	// The rotated key is not the key that the store encrypts with.
	other := s.WithKey(t, ownSecret)
	other.RotateKey(Key, rotatedKey)
	save(t, other, uniform(3, 3))
	requireStored(t, s.WithKey(t, ownSecret), uniform(3, 3))
}
