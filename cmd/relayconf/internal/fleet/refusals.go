package fleet

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// refusalPeriod is after which time a refusal that goes on is logged again.
	refusalPeriod = time.Hour
	// refusalPause and refusalBurst bound the log of refusals: a relay may ask for many names.
	refusalPause = 10 * time.Second
	refusalBurst = 20
)

// refusals logs links that the hub refuses, once for each relay and reason.
type refusals struct {
	logger *slog.Logger

	mu      sync.Mutex
	limit   *rate.Limiter
	logged  map[refusal]time.Time // those of the last refusalPeriod
	skipped int                   // that were not logged, since there were too many
}

// refusal is a relay and a reason.
type refusal struct {
	relay string // name; the host of one that has not got so far as to have one
	code  codes.Code
}

func newRefusals(logger *slog.Logger) *refusals {
	return &refusals{logger: logger, limit: rate.NewLimiter(rate.Every(refusalPause), refusalBurst), logged: map[refusal]time.Time{}}
}

// refusalCodes are those of refusals that somebody has to do something about. The others pass.
var refusalCodes = []codes.Code{codes.Unauthenticated, codes.PermissionDenied, codes.AlreadyExists, codes.ResourceExhausted,
	codes.InvalidArgument, codes.FailedPrecondition}

// add logs a refusal. key is the name of the relay's key; empty if that is unknown.
func (r *refusals) add(now time.Time, relay, key, address string, err error) {
	reason := refusal{relay, status.Code(err)}
	if !slices.Contains(refusalCodes, reason.code) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.logged, func(_ refusal, at time.Time) bool { return now.Sub(at) >= refusalPeriod })
	if _, known := r.logged[reason]; known {
		return
	}
	if !r.limit.AllowN(now, 1) {
		r.skipped++
		return
	}
	r.logged[reason] = now
	fields := []any{"relay", relay, "address", address, "reason", status.Convert(err).Message()}
	if key != "" {
		fields = append(fields, "key", key)
	}
	if r.skipped > 0 {
		fields = append(fields, "refusals that were not logged", r.skipped)
		r.skipped = 0
	}
	r.logger.Warn("The link of a relay was refused", fields...)
}

// joined makes the next refusal of a relay be logged.
func (r *refusals) joined(relay string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.logged, func(reason refusal, _ time.Time) bool { return reason.relay == relay })
}
