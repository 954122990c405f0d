package httpconfig

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is how many redirects in a row are followed.
const maxRedirects = 10

// checkRedirect is for http.Client. The request is the one to come; via has those already made, the oldest first.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("stopped after %d redirects: the service seems to redirect in a circle", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("the service redirected from https to " + req.URL.Scheme +
			", which is not followed because anybody on the way could read what is sent")
	}
	return nil
}

// isAtOrigin tells whether a request, and every redirect that led to it, went to the scheme, host and port of the
// first one. Once a chain of redirects has left, what comes after is another site's choice, even if it comes back.
func isAtOrigin(req *http.Request) bool {
	for r := req; r.Response != nil; r = r.Response.Request {
		previous := r.Response.Request
		if previous == nil || origin(previous.URL) != origin(req.URL) {
			return false
		}
	}
	return true
}

// origin returns scheme, host and port, so that equal origins are equal strings.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + " " + port
}
