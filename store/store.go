// Package store holds what the stores of the last known configuration have in common: why what is stored can't be
// used. The stores themselves are in the packages below it; storetest tests them, and those of others.
package store

import (
	"errors"
	"fmt"

	"github.com/relayconf/relayconf/internal/sealed"
)

// Why what is stored can't be used, as by errors.Is on the error of a Load.
var (
	ErrForeign     = sealed.ErrForeign     // something else is there, which no store of relayconf wrote
	ErrNewerFormat = sealed.ErrNewerFormat // a newer version of relayconf wrote it
	ErrTruncated   = sealed.ErrTruncated   // its end is missing
	ErrDamaged     = sealed.ErrDamaged     // some of its bytes have changed
	ErrWrongKey    = sealed.ErrWrongSecret // it is encrypted with a key that the store was not given
	ErrTooLarge    = sealed.ErrTooLarge    // it is larger than the store's limit
)

// ErrOlder is what a store reports that several relays share, when what is stored is newer than what a Save came with,
// and was kept.
var ErrOlder = errors.New("the stored configuration is newer, and was kept")

// UnreadableError says that what is stored can't be used, and where it was set aside. Whoever gets it goes on as if
// nothing were stored.
type UnreadableError struct {
	Place    string // what could not be used: the path of a file, the name of a Redis key
	SetAside string // where it is now; empty if it is where it was
	Reason   error  // one of the errors of this package
	Failed   error  // why it could not be set aside; nil if it was, or was not to be
}

// Error says what was wrong, and what became of what is stored.
func (e *UnreadableError) Error() string {
	text := fmt.Sprintf("the configuration stored in %s can't be used: %v", e.Place, e.Reason)
	switch {
	case e.SetAside != "":
		text += ". It was set aside as " + e.SetAside
	case e.Failed != nil:
		text += fmt.Sprintf(". It could not be set aside: %v", e.Failed)
	}
	if errors.Is(e.Reason, ErrWrongKey) {
		text += ". If the auto-config key was changed, give the former one as an older key"
	}
	return text
}

// Unwrap returns the reason, and what else failed.
func (e *UnreadableError) Unwrap() []error {
	if e.Failed == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Failed}
}
