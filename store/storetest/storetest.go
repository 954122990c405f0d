// Package storetest tests any implementation of autoconfig.Store for the promises that a manager relies on.
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Subject {
//			return storetest.Subject{Store: mystore.New(t.TempDir())}
//		})
//	}
package storetest

import (
	"testing"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
)

// Subject is a store to test, with nothing stored in it yet.
type Subject struct {
	Store autoconfig.Store

	// Another opens a second store in the same place, as another process would do. Without it, restarts and stores that
	// several relays share are not tested.
	Another func(t *testing.T) autoconfig.Store

	// Corrupt replaces the bytes that are stored by the result of change. Without it, damage is not tested.
	Corrupt func(t *testing.T, change func(stored []byte) []byte)

	// WithKey opens a store in the same place that encrypts with this key. The Store of the Subject must encrypt with Key
	// then. Without it, keys are not tested.
	WithKey func(t *testing.T, key config.AutoConfigKey) autoconfig.KeyedStore
}

// Key is the key of the stores to test, if the Subject has WithKey.
const Key config.AutoConfigKey = "rel-00000000-0000-4000-8000-000000000001"

// The number of environments of a large snapshot.
const (
	largeSize      = 100_000
	largeSizeShort = 10_000
)

// Run tests the stores that open returns; it is called once for each test, and may use t.Cleanup to close them. One of
// the tests stores 100,000 environments, or 10,000 with go test -short.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	size := largeSize
	if testing.Short() {
		size = largeSizeShort
	}
	run(t, open, size)
}

func run(t *testing.T, open func(t *testing.T) Subject, largeSize int) {
	tests := []struct {
		name string
		test func(*testing.T, Subject)
	}{
		{"nothing is stored at first", testNone},
		{"every field comes back", testRoundTrip},
		{"an empty configuration is not none", testEmpty},
		{"a save replaces all that was there", testReplace},
		{"a loaded snapshot is the caller's own", testIndependence},
		{"a nil snapshot is refused", testNil},
		{"a large configuration", func(t *testing.T, s Subject) { testLarge(t, s, largeSize) }},
		{"saves at the same time leave one of them", testConcurrentSaves},
		{"a load at any moment is whole", testConcurrentLoads},
		{"an ended context", testContext},
		{"another store finds what is stored", testAnother},
		{"several stores save in the same place", testShared},
		{"damage is noticed", testCorrupted},
		{"a wrong key costs nothing", testWrongKey},
		{"a store follows its key", testRotatedKey},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.test(t, open(t)) })
	}
}
