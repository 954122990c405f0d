package autoconfig

import (
	"errors"

	"github.com/relayconf/relayconf/internal/stream"
)

// The reasons why a manager ends, for errors.Is.
var (
	// ErrClosed means that Close was called.
	ErrClosed = errors.New("the stream manager was closed")
	// ErrInvalidKey means that the service rejected the auto-configuration key, or that the key can't be sent at all.
	ErrInvalidKey = stream.ErrInvalidKey
)
