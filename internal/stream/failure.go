package stream

import (
	"compress/flate"
	"compress/gzip"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/relayconf/relayconf/internal/sse"
)

// ErrInvalidKey means that the service rejected the key, or that the key can't be sent at all.
var ErrInvalidKey = errors.New("the auto-configuration key is invalid")

// The kinds of failures. They are the values of autoconfig.ErrorKind.
const (
	KindNetwork     = "NETWORK_ERROR"
	KindResponse    = "ERROR_RESPONSE"
	KindInvalidData = "INVALID_DATA"
	KindTimeout     = "TIMEOUT"
)

// Failure is why a connection could not be made or was lost.
type Failure struct {
	Kind   string // one of the constants above
	Status int    // HTTP status; 0 if there was no response
	Err    error  // a sentence for people, without secrets; ErrInvalidKey, wrapped, if Rejected

	// Rejected means that the service rejected the key, or that it can't be sent.
	Rejected bool

	slow       bool // retry on the slow schedule
	retryAfter time.Duration
	exact      bool // exactly after retryAfter
}

func timeoutFailure(format string, timeout time.Duration) *Failure {
	return &Failure{Kind: KindTimeout, Err: fmt.Errorf(format, timeout)}
}

// failureOf classes an error of a connection.
func failureOf(err error) *Failure {
	var response *ResponseError
	if errors.As(err, &response) {
		f := &Failure{
			Kind: KindResponse, Status: response.Status, Err: err, retryAfter: response.RetryAfter,
			exact:    response.exact && response.Status == http.StatusServiceUnavailable,
			slow:     wontMendSoon(response.Status),
			Rejected: response.KeyRejected(),
		}
		if f.Rejected {
			f.Err = fmt.Errorf("%w: %w", ErrInvalidKey, err)
		}
		return f
	}
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err // without the URI, whose query may hold a secret
	}
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, sse.ErrTooLarge):
		return &Failure{Kind: KindInvalidData, Err: err}
	case errors.Is(err, ErrInvalidKey):
		return &Failure{Kind: KindResponse, Err: err, slow: true, Rejected: true}
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return &Failure{Kind: KindNetwork, Err: errors.New("the service ended the connection")}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return &Failure{Kind: KindInvalidData, Err: fmt.Errorf("the compressed stream is damaged: %w", err)}
	case errors.As(err, &certificate):
		return &Failure{Kind: KindNetwork, slow: true, Err: fmt.Errorf("the service's certificate is not trusted: %w", err)}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Failure{Kind: KindTimeout, Err: err}
	}
	return &Failure{Kind: KindNetwork, Err: err}
}

// wontMendSoon says whether a status speaks of a mistake that somebody has to mend, rather than of a bad moment.
func wontMendSoon(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}
