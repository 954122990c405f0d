// Package ops shows people, probes and scrapers how a command that follows a configuration is doing: /livez, /readyz,
// /status and /metrics, on a listener for probes and one for operators.
package ops

import (
	"fmt"
	"net/http"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
)

// Report is how a command is doing at one moment.
type Report struct {
	autoconfig.Status
	Files    bool // the source is files, rather than a stream
	Draining bool // it is about to end, and takes no new work
}

// sourceFile is the source of a configuration that was read from files.
const sourceFile = "FILE"

// source is where the configuration in force comes from: NONE, STORE, STREAM or FILE.
func (r Report) source() string {
	if r.Files && r.Source == autoconfig.SourceStream {
		return sourceFile // files report in the words of a stream
	}
	return string(r.Source)
}

// Condition is the most important thing to know of a command, in a word that does not change.
type Condition string

// The conditions.
const (
	ConditionOK              Condition = "ok"               // the configuration is the present one
	ConditionStale           Condition = "stale"            // there is one, but its source can't be followed at the moment
	ConditionFromCache       Condition = "from-cache"       // there is one, from the cache; its source has not confirmed it yet
	ConditionKeyRejected     Condition = "key-rejected"     // the service rejects the auto-configuration key
	ConditionNoConfiguration Condition = "no-configuration" // there has been none yet
	ConditionDraining        Condition = "draining"         // the command is about to end
	ConditionEnded           Condition = "ended"            // the source is no longer followed
)

// conditions are all of them, for metrics.
var conditions = []Condition{ConditionOK, ConditionStale, ConditionFromCache, ConditionKeyRejected, ConditionNoConfiguration,
	ConditionDraining, ConditionEnded}

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready     bool      `json:"ready"` // there is a configuration in force
	Condition Condition `json:"condition"`
	Reason    string    `json:"reason,omitempty"` // for people; empty if all is well

	Source     string   `json:"source"`               // of the configuration in force: NONE, STORE, STREAM or FILE
	AgeSeconds *float64 `json:"ageSeconds,omitempty"` // since the source last confirmed it; none while it is followed
	LostSince  string   `json:"lostSince,omitempty"`  // since when the source of a configuration is not followed, as RFC 3339, UTC
}

// Assess tells whether a command is ready, and its condition. One with a configuration that is stale, or from the
// cache, is ready: to take it out of service would help nobody.
func Assess(r Report, now time.Time) Readiness {
	readiness := assess(r, now)
	readiness.Source = r.source()
	if readiness.Source == "" {
		readiness.Source = string(autoconfig.SourceNone)
	}
	if r.Source == autoconfig.SourceStore || hasConfiguration(r) && r.State != autoconfig.StateValid {
		age := ageOf(r, now).Seconds()
		readiness.AgeSeconds = &age
		readiness.LostSince = r.StateSince.UTC().Format(time.RFC3339)
	}
	return readiness
}

// ageOf is how long ago the source confirmed the configuration: each byte of it did.
func ageOf(r Report, now time.Time) time.Duration {
	confirmed := r.LastActivity
	if confirmed.IsZero() {
		confirmed = r.StateSince
	}
	if r.Source == autoconfig.SourceStore {
		return r.SnapshotAge
	}
	return max(0, now.Sub(confirmed))
}

func hasConfiguration(r Report) bool { return r.Source != autoconfig.SourceNone && r.Source != "" }

// assess finds the condition and its reason.
func assess(r Report, now time.Time) Readiness {
	has := hasConfiguration(r)
	switch {
	case r.Draining:
		return Readiness{Ready: false, Condition: ConditionDraining, Reason: "the process is about to end"}
	case r.State == autoconfig.StateOff:
		return Readiness{Ready: false, Condition: ConditionEnded, Reason: "the source is no longer followed" + because(r)}
	case r.State != autoconfig.StateValid && keyRejected(r.LastError):
		return Readiness{Ready: has, Condition: ConditionKeyRejected, Reason: fmt.Sprintf("the service rejects the auto-configuration key with status %d",
			r.LastError.StatusCode)}
	case !has:
		return Readiness{Ready: false, Condition: ConditionNoConfiguration, Reason: "there is no configuration yet" + because(r)}
	case r.Source == autoconfig.SourceStore:
		return Readiness{Ready: true, Condition: ConditionFromCache, Reason: fmt.Sprintf("the configuration is from the cache, confirmed %s ago%s",
			r.SnapshotAge.Round(time.Second), because(r))}
	case r.State != autoconfig.StateValid:
		return Readiness{Ready: true, Condition: ConditionStale, Reason: fmt.Sprintf("the source has not been followed for %s, since %s%s",
			now.Sub(r.StateSince).Round(time.Second), r.StateSince.UTC().Format(time.RFC3339), because(r))}
	}
	return Readiness{Ready: true, Condition: ConditionOK}
}

func keyRejected(e *autoconfig.ErrorInfo) bool {
	return e != nil && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden)
}

func because(r Report) string {
	if r.LastError == nil {
		return ""
	}
	return ": " + r.LastError.Message
}
