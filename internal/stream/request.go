package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/relayconf/relayconf/config"
)

// path is where the service has the stream, below the base URI.
const path = "relay_auto_config"

// versionParameter is the query parameter for the protocol version.
const versionParameter = "rpacProtocolVersion"

// protocolVersion1 is what a request without a version asks for.
const protocolVersion1 = 1

// URL adds the path and the protocol version to the base URI, whose own path and query keep their meaning. An error is
// a sentence for people; it does not quote the URI, which may have a secret in it.
func URL(base string, protocolVersion int) (*url.URL, error) {
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
	u = u.JoinPath(path)
	if protocolVersion > protocolVersion1 {
		version := versionParameter + "=" + strconv.Itoa(protocolVersion)
		if u.RawQuery != "" {
			version = u.RawQuery + "&" + version // not re-encoded: a proxy may be particular about it
		}
		u.RawQuery = version
	}
	return u, nil
}

// lastEventID is the header with the id that the stream is resumed from.
const lastEventID = "Last-Event-Id"

// newRequest makes the request for a stream. The id resumeFrom is empty if the stream is not to be resumed.
func newRequest(ctx context.Context, u *url.URL, key config.AutoConfigKey, resumeFrom string, compressed bool) *http.Request {
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
	if resumeFrom != "" {
		request.Header.Set(lastEventID, resumeFrom)
	}
	if compressed {
		request.Header.Set("Accept-Encoding", "gzip")
	}
	return request.WithContext(ctx)
}

// Printable returns a URL for logs: without a password, and with the values of its query hidden, which may be secrets.
func Printable(u *url.URL) string {
	shown := *u
	query := u.Query()
	for name := range query {
		if name != versionParameter {
			query[name] = []string{"xxxxx"}
		}
	}
	shown.RawQuery = query.Encode()
	return shown.Redacted()
}
