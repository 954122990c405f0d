// Package store holds the common parts of the stores of the last known configuration: the errors of stored data that
// can't be used, and a way to bound calls that hang. The stores themselves are in the packages filestore and redisstore;
// for one of your own there are sealed, which encrypts, and storetest, which tests it.
package store

import (
	"errors"
	"fmt"

	"github.com/relayconf/relayconf/store/sealed"
)

// The reasons why stored data can't be used, to be matched with errors.Is on the error of a Load or Save.
var (
	ErrForeign     = sealed.ErrForeign     // no store of relayconf wrote it; it may belong to somebody else
	ErrNewerFormat = sealed.ErrNewerFormat // a newer version of relayconf wrote it
	ErrTruncated   = sealed.ErrTruncated   // its end is missing
	ErrDamaged     = sealed.ErrDamaged     // some of its bytes have changed
	ErrWrongKey    = sealed.ErrWrongKey    // it is encrypted with a key that the store was not given
	ErrTooLarge    = sealed.ErrTooLarge    // it is larger than the store's limit
)

// ErrOlder is reported by a store that several relays share, when the stored snapshot is newer than that of a Save,
// and was kept.
var ErrOlder = errors.New("the stored configuration is newer, and was kept")

// UnreadableError says that the stored data can't be used.
//
// A Load returns it, and leaves everything where it is: the key may be a mistake. A Save comes when the service has
// accepted the key. It sets aside unusable data before it replaces that, and reports it with this error; but data that
// is not a stored configuration at all (ErrForeign) it never touches, and returns this error.
type UnreadableError struct {
	Place    string // the path of a file, the name of a Redis key
	SetAside string // the place where it is kept now; empty if it was not set aside
	Reason   error  // one of the errors of this package
	Failed   error  // why a Save could not set it aside; nil if it could, or did not try
}

// Error names the reason, the fate of the stored data, and the remedy.
func (e *UnreadableError) Error() string {
	text := fmt.Sprintf("the configuration stored in %s can't be used: %v", e.Place, e.Reason)
	switch {
	case e.SetAside != "":
		text += ". It was set aside as " + e.SetAside
	case e.Failed != nil:
		text += fmt.Sprintf(". It could not be set aside, and was not replaced: %v", e.Failed)
	case errors.Is(e.Reason, ErrForeign):
		text += ". It is left alone: move it away, or choose another place for the stored configuration"
	case errors.Is(e.Reason, ErrWrongKey):
		text += ". It stays until the service has accepted the present key. If the auto-config key was changed, give the " +
			"former one as an older key"
	}
	return text
}

// Kind is the reason in a word, for names of files and Redis keys that are set aside: "foreign", "other-key",
// "newer-format", "too-large", or "damaged", also if it is truncated.
func (e *UnreadableError) Kind() string {
	switch {
	case errors.Is(e.Reason, ErrForeign):
		return "foreign"
	case errors.Is(e.Reason, ErrWrongKey):
		return "other-key"
	case errors.Is(e.Reason, ErrNewerFormat):
		return "newer-format"
	case errors.Is(e.Reason, ErrTooLarge):
		return "too-large"
	}
	return "damaged"
}

// Unwrap returns Reason and, if there is one, Failed.
func (e *UnreadableError) Unwrap() []error {
	if e.Failed == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Failed}
}
