package ops

import (
	"time"

	"github.com/relayconf/relayconf/autoconfig"
)

// Status is the answer of /status, in the words of the Relay Proxy's status resource. Fields may be added, and none
// changes its meaning. It holds no keys.
type Status struct {
	Status           string           `json:"status"` // healthy: the condition is ok; degraded otherwise
	Version          string           `json:"version"`
	AutoConfigStatus AutoConfigStatus `json:"autoConfigStatus"`
	Readiness
	Environments int    `json:"environments"`
	Connections  uint64 `json:"connections"` // that were made to the service so far
	Details      any    `json:"hub,omitempty"`
}

// AutoConfigStatus is the state of the source. Times are in Unix milliseconds.
type AutoConfigStatus struct {
	State      autoconfig.State `json:"state"`
	StateSince int64            `json:"stateSince"`
	LastError  *LastError       `json:"lastError,omitempty"`
}

// LastError is the latest failure; it stays after the recovery.
type LastError struct {
	Kind       autoconfig.ErrorKind `json:"kind"`
	StatusCode int                  `json:"statusCode,omitempty"`
	Time       int64                `json:"time"`
	Message    string               `json:"message"`
}

func newStatus(r Report, version string, details any, now time.Time) Status {
	s := Status{
		Status:           "degraded",
		Version:          version,
		AutoConfigStatus: AutoConfigStatus{State: r.State, StateSince: r.StateSince.UnixMilli()},
		Readiness:        Assess(r, now),
		Environments:     r.Environments,
		Connections:      r.Connections,
		Details:          details,
	}
	if s.Condition == ConditionOK {
		s.Status = "healthy"
	}
	if e := r.LastError; e != nil {
		s.AutoConfigStatus.LastError = &LastError{e.Kind, e.StatusCode, e.Time.UnixMilli(), e.Message}
	}
	return s
}
