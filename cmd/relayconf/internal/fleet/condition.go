package fleet

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/internal/digest"
)

// Condition is the configuration to wait for, and the relays that are to apply it. Without an environment and a digest
// it is the configuration that the hub has at the start, or a later one.
type Condition struct {
	Environment string `json:"environment,omitempty"` // id; with Version
	Version     int    `json:"version,omitempty"`     // that, or a later one
	Digest      string `json:"digest,omitempty"`      // exactly that

	Relays            []string `json:"relays,omitempty"`            // names; none: all that were seen within the time
	SeenWithinSeconds float64  `json:"seenWithinSeconds,omitempty"` // 0: as long as the hub keeps names
	Min               int      `json:"min,omitempty"`               // least number of relays
	AllowUnconfirmed  bool     `json:"allowUnconfirmed,omitempty"`  // a relay without agent counts when it was sent everything
	TimeoutSeconds    float64  `json:"timeoutSeconds"`              // required
}

// maxTimeout bounds how long a wait may take.
const maxTimeout = 24 * time.Hour

// check returns an error if a condition is invalid.
func (c Condition) check(seenWithin time.Duration) error {
	invalid := func(format string, args ...any) error { return status.Errorf(codes.InvalidArgument, format, args...) }
	_, isDigest := digest.Parse(c.Digest)
	switch {
	case c.Environment == "" && c.Version != 0:
		return invalid("a version needs an environment")
	case c.Environment != "" && c.Version < 1:
		return invalid("an environment needs a version, 1 or more")
	case c.Environment != "" && c.Digest != "":
		return invalid("wait for an environment or for a digest, not both")
	case c.Digest != "" && !isDigest:
		return invalid("a digest has 32 hexadecimal digits, in lower case")
	case c.Min < 0:
		return invalid("the least number of relays can't be negative")
	case !(c.TimeoutSeconds > 0) || c.TimeoutSeconds > maxTimeout.Seconds():
		return invalid("the timeout must be positive, and a day at most")
	case !(c.SeenWithinSeconds >= 0) || c.SeenWithinSeconds > seenWithin.Seconds():
		return invalid("this hub keeps the names of relays for %s, and no longer: see --seen-within of serve", seenWithin)
	}
	return nil
}

// Result is how a wait has ended.
type Result string

// The results.
const (
	// Applied: every relay that was expected has applied it, all at one moment.
	Applied Result = "applied"
	// Missing: the time is over, and the relays in Progress.Missing have not applied it.
	Missing Result = "missing"
	// Inconclusive: the time is over, and nobody can say that all have applied it, for the reason in Progress.Problem.
	Inconclusive Result = "inconclusive"
)

// Progress is how far a wait is.
type Progress struct {
	Result  Result         `json:"result,omitempty"` // empty: it goes on
	Done    int            `json:"done"`
	Total   int            `json:"total"`
	Missing []MissingRelay `json:"missing"`           // by name
	Problem string         `json:"problem,omitempty"` // why this is no success yet, even if all have applied it
}

// MissingRelay is a relay that is waited for.
type MissingRelay struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}
