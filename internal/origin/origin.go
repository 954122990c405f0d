// Package origin tells whether a request goes where the first one of its chain of redirects went, and knows the default
// ports.
package origin

import (
	"net/http"
	"net/url"
	"strings"
)

// Kept tells whether a request, and every redirect that led to it, went to the scheme, host and port of the first one.
// Once a chain of redirects has left, all further ones are another site's choice, even if they come back. It looks at
// the requests that an http.Client makes or that a response of one leads back to.
func Kept(req *http.Request) bool {
	for r := req; r.Response != nil; r = r.Response.Request {
		previous := r.Response.Request
		if previous == nil || of(previous.URL) != of(req.URL) {
			return false
		}
	}
	return true
}

// of returns scheme, host and port, so that equal origins are equal strings.
func of(u *url.URL) string {
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + " " + Port(u)
}

// Port returns the port in the URL, or else the default port of its scheme. It is empty for a scheme other than http
// and https that names no port.
func Port(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
