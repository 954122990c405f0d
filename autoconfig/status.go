package autoconfig

import (
	"time"

	"github.com/relayconf/relayconf/internal/stream"
)

// State says how the stream is doing.
type State string

// The states of a manager.
const (
	// StateInitializing is from the start until the first put was applied.
	StateInitializing State = "INITIALIZING"
	// StateValid means that a connection is up and has brought at least one event.
	StateValid State = "VALID"
	// StateInterrupted means that a working connection was lost. The known configuration stays in force.
	StateInterrupted State = "INTERRUPTED"
	// StateOff is final: the manager was closed, or has failed for good.
	StateOff State = "OFF"
)

// Status is how a manager is doing at one moment.
type Status struct {
	State         State
	StateSince    time.Time
	LastError     *ErrorInfo // nil if there has been none; kept after recovery
	LastActivity  time.Time  // last byte from the service; zero if there has been none
	LastKeepAlive time.Time  // last comment; zero if there has been none
	KeepAlives    uint64     // comments so far
	Connections   uint64     // successful connections so far
	Environments  int        // environments known now

	// Digest is the digest of the known environments and filters, as 32 hexadecimal digits. A hub gives it to relays as
	// the id of an event, so the two can be compared. Empty if there is no configuration yet.
	Digest string

	NeedsPut   bool // the service has sent something malformed, which was left out (see LastError): a new put may mend that
	Resumed    bool // the latest connection went on from the known configuration: only a hub does that
	Compressed bool // the latest connection is compressed

	Source        Source        // where the configuration in force comes from
	SnapshotAge   time.Duration // how long ago the service confirmed it, if Source is SourceStore; 0 otherwise
	StoreFailures uint64        // loads and saves that have failed so far: see WithStore
}

// ErrorKind is the class of an error.
type ErrorKind string

// The kinds of errors.
const (
	// ErrorKindNetwork is a connection that could not be made, or broke.
	ErrorKindNetwork ErrorKind = stream.KindNetwork
	// ErrorKindResponse is an HTTP response other than status 200 with an event stream.
	ErrorKindResponse ErrorKind = stream.KindResponse
	// ErrorKindInvalidData is an event that could not be understood.
	ErrorKindInvalidData ErrorKind = stream.KindInvalidData
	// ErrorKindTimeout is a connection that was silent for too long.
	ErrorKindTimeout ErrorKind = stream.KindTimeout
)

// ErrorInfo is something that went wrong, for people and for health checks. It holds no secrets.
type ErrorInfo struct {
	Kind       ErrorKind
	StatusCode int // HTTP status; 0 unless Kind is ErrorKindResponse
	Message    string
	Time       time.Time
}
