package autoconfig

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/relayconf/relayconf/internal/handshake"
	"github.com/relayconf/relayconf/internal/sse"
)

// failure is why a connection could not be made, or was lost, and what that means for the next one.
type failure struct {
	kind       ErrorKind
	status     int   // HTTP status, if there was a response
	err        error // holds no secrets
	slow       bool  // retry on the slow schedule
	rejected   bool  // the key was: final, or slow
	retryAfter time.Duration
}

// failureOf classes an error of a connection.
func failureOf(err error) *failure {
	var response *handshake.ResponseError
	if errors.As(err, &response) {
		return &failure{
			kind: ErrorKindResponse, status: response.Status, err: err, retryAfter: response.RetryAfter,
			slow:     wontMendSoon(response.Status),
			rejected: response.KeyRejected(),
		}
	}
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err // without the URI, whose query may hold a secret
	}
	if errors.Is(err, sse.ErrTooLarge) {
		return &failure{kind: ErrorKindInvalidData, err: err}
	}
	if errors.Is(err, ErrInvalidKey) {
		return &failure{kind: ErrorKindResponse, err: err, slow: true, rejected: true}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &failure{kind: ErrorKindNetwork, err: errors.New("the service ended the connection")}
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return &failure{kind: ErrorKindNetwork, slow: true,
			err: fmt.Errorf("the service's certificate is not trusted: %w", err)}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &failure{kind: ErrorKindTimeout, err: err}
	}
	return &failure{kind: ErrorKindNetwork, err: err}
}

// wontMendSoon says whether a status speaks of a mistake that somebody has to mend, rather than of a bad moment.
func wontMendSoon(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// rejectedKeyError is ErrInvalidKey with what the service said.
type rejectedKeyError struct{ cause error }

func (e *rejectedKeyError) Error() string   { return ErrInvalidKey.Error() + ": " + e.cause.Error() }
func (e *rejectedKeyError) Unwrap() []error { return []error{ErrInvalidKey, e.cause} }
