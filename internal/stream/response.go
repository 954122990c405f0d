package stream

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/mask"
	"github.com/relayconf/relayconf/internal/origin"
)

// ResponseError is a response that is not an event stream.
type ResponseError struct {
	Status     int           // HTTP status; 200 if it is not a stream for another reason
	RetryAfter time.Duration // the pause that the service asks for, an hour at most; 0 if it asks for none
	exact      bool          // the pause is of RetryAfterHeader
	reason     string
	// keyWithheld: a redirect led to another host, which did not get the key.
	keyWithheld bool
}

// Error is a sentence for people, without secrets.
func (e *ResponseError) Error() string { return e.reason }

// KeyRejected says whether the service rejected the key: status 401 or 403 from where the key was sent to.
func (e *ResponseError) KeyRejected() bool {
	return (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) && !e.keyWithheld
}

// check says whether the response is a connection: status 200 and an event stream, in an encoding that was asked for. An
// error is a *ResponseError. It gives the reason that the service gives, without the key.
func check(response *http.Response, key config.AutoConfigKey) error {
	e := &ResponseError{
		Status:      response.StatusCode,
		keyWithheld: !origin.Kept(response.Request),
	}
	contentType := response.Header.Get("Content-Type")
	mediaType, _, _ := mime.ParseMediaType(contentType)
	encoding := response.Header.Get("Content-Encoding")
	askedFor := encoding == "" || encoding == "identity" || isCompressed(response) && response.Request.Header.Get("Accept-Encoding") != ""
	switch {
	case response.StatusCode != http.StatusOK:
		e.reason = strings.TrimSpace(fmt.Sprintf("the service answered with HTTP status %d %s",
			response.StatusCode, http.StatusText(response.StatusCode)))
		if given := reasonOf(response, key); given != "" {
			e.reason += ": " + given
		}
		e.RetryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())
		if moment, ok := exactRetryAfter(response.Header.Get(RetryAfterHeader)); ok {
			e.RetryAfter, e.exact = moment, true
		}
	case mediaType != "text/event-stream":
		e.reason = fmt.Sprintf("the service answered with content type %q instead of an event stream; "+
			"is something else at that address?", mask.Shorten(contentType))
	case !askedFor:
		e.reason = fmt.Sprintf("the service sent an event stream with content encoding %q, which was not asked for",
			mask.Shorten(encoding))
	default:
		return nil
	}
	if e.keyWithheld {
		e.reason += fmt.Sprintf("; it had redirected to another host, %q, which is not sent the key: "+
			"if that is where the service lives now, set the stream URI to it", mask.Shorten(response.Request.URL.Host))
	}
	return e
}

// isCompressed says whether the body is compressed with gzip.
func isCompressed(response *http.Response) bool {
	return strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip")
}

// InstanceHeader tells a hub which manager the request comes from, so that the hub can tell relays behind one address apart,
// and knows the stream and the link of one relay for the same relay's.
const InstanceHeader = "Relayconf-Instance"

// ResumedHeader is "true" in a response that goes on from the Last-Event-ID of the request: the changes since then follow,
// and not a put.
const ResumedHeader = "Relayconf-Resumed"

// isResumed says whether the stream goes on from the Last-Event-ID. Without one in the request that a stream can go on
// from, the header means nothing.
func isResumed(response *http.Response) bool {
	id := response.Request.Header.Get(lastEventID)
	return response.Header.Get(ResumedHeader) == "true" && id != "" && id != PutNeeded
}

// UnconfirmedHeader is in a response of a hub whose configuration may be older than the service's, until an event with
// wire.ConfirmedPath. Its value is when the service last confirmed that configuration, in the form of RFC 3339.
const UnconfirmedHeader = "Relayconf-Unconfirmed"

// unconfirmedSince returns the time in the UnconfirmedHeader; now if it makes no sense, and zero if there is no header.
func unconfirmedSince(response *http.Response, now time.Time) time.Time {
	header := response.Header.Get(UnconfirmedHeader)
	if header == "" {
		return time.Time{}
	}
	if at, err := time.Parse(time.RFC3339, header); err == nil && !at.IsZero() {
		return at
	}
	return now
}

// RetryAfterHeader is in a hub's response with status 503 that has room for the client at a certain moment: after how many
// seconds, with decimals, the client is to come back. It replaces the delay that is due, a longer one, too: each client is
// told a moment of its own.
const RetryAfterHeader = "Relayconf-Retry-After"

func exactRetryAfter(header string) (after time.Duration, ok bool) {
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds >= 0) {
		return 0, false
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second)), true
}

// retryAfter takes both forms of the header, seconds and a date; 0 if there is none that makes sense.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, min(date.Sub(now), maxRetryAfter))
	}
	return 0
}
