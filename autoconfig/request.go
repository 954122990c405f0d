package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/mask"
	"github.com/relayconf/relayconf/internal/origin"
)

// streamPath is where the service has the stream, below the base URI.
const streamPath = "relay_auto_config"

// streamURL adds the path and the protocol version to the base URI, whose own path and query keep their meaning.
func streamURL(base string, protocolVersion int) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		var urlError *url.Error
		if errors.As(err, &urlError) {
			err = urlError.Err // without the URI, which may have a password in it
		}
		return nil, fmt.Errorf("the stream URI is not valid (%w); it should look like %s", err, config.DefaultStreamURI)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("the stream URI must start with http:// or https:// and name a host; it should look like %s",
			config.DefaultStreamURI)
	}
	u.Fragment = ""
	if u.Path == "" {
		u.Path = "/" // JoinPath would leave a relative path, which makes a bad request line
	}
	u = u.JoinPath(streamPath)
	if protocolVersion > DefaultProtocolVersion {
		version := "rpacProtocolVersion=" + strconv.Itoa(protocolVersion)
		if u.RawQuery != "" {
			version = u.RawQuery + "&" + version // not re-encoded: a proxy may be particular about it
		}
		u.RawQuery = version
	}
	return u, nil
}

func newRequest(ctx context.Context, u *url.URL, key config.AutoConfigKey) *http.Request {
	request := &http.Request{
		Method: http.MethodGet,
		URL:    u,
		Host:   u.Host,
		Header: http.Header{
			"Authorization": {key.GetAuthorizationHeaderValue()},
			"Accept":        {"text/event-stream"},
			"Cache-Control": {"no-cache"},
		},
	}
	return request.WithContext(ctx)
}

// checkKey says whether the key can be sent at all.
func checkKey(key config.AutoConfigKey) error {
	if key == "" {
		return fmt.Errorf("%w: it is empty", ErrInvalidKey)
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c >= 0x7f {
			return fmt.Errorf("%w: it has a space or another character that can't be sent", ErrInvalidKey)
		}
	}
	return nil
}

// responseError is a response that is not an event stream.
type responseError struct {
	status     int
	reason     string
	retryAfter time.Duration
	// keyWithheld: a redirect led to another host, which did not get the key.
	keyWithheld bool
}

func (e *responseError) Error() string { return e.reason }

// checkResponse says whether this is a connection: status 200 and an event stream.
func checkResponse(response *http.Response) error {
	e := &responseError{
		status:      response.StatusCode,
		keyWithheld: !origin.Kept(response.Request),
	}
	contentType := response.Header.Get("Content-Type")
	mediaType, _, _ := mime.ParseMediaType(contentType)
	encoding := response.Header.Get("Content-Encoding")
	switch {
	case response.StatusCode != http.StatusOK:
		e.reason = strings.TrimSpace(fmt.Sprintf("the service answered with HTTP status %d %s",
			response.StatusCode, http.StatusText(response.StatusCode)))
		e.retryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())
	case mediaType != "text/event-stream":
		e.reason = fmt.Sprintf("the service answered with content type %q instead of an event stream; "+
			"is something else at that address?", mask.Shorten(contentType))
	case encoding != "" && encoding != "identity":
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
