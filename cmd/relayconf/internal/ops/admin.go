package ops

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Admin guards the operators' handler.
type Admin struct {
	// Token must come with each request, as a bearer token or as the password of basic authentication, which browsers ask
	// for. Empty: none is needed.
	Token string
	// Hosts are the names that requests may come for, besides those of the loopback interface: a page of somebody else
	// that has its own name resolve to this machine gets nothing.
	Hosts []string
}

// IsLoopback tells whether an address to listen on can be reached from this machine alone.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && isLoopbackHost(host)
}

func isLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// ReadToken reads a token from a file. No error shows it.
func ReadToken(path string) (string, error) {
	const least, most = 16, 4096
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the token can't be read: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < least || len(token) > most || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("the token file %s must hold one line of at least %d plain characters, such as: openssl rand -hex 32", path, least)
	}
	return token, nil
}

// Guard returns a handler that lets only operators through to next.
func (a Admin) Guard(next http.Handler) http.Handler {
	return secured(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !a.knowsHost(r.Host):
			http.Error(w, "this name is not one of the admin listener: list it with --admin-host", http.StatusMisdirectedRequest)
		case !a.authorized(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="relayconf", charset="UTF-8"`)
			http.Error(w, "the token of --admin-token-file is needed, as a bearer token or as a password", http.StatusUnauthorized)
		case isForeign(r):
			http.Error(w, "pages of other origins can't use the admin listener", http.StatusForbidden)
		case !isSafe(r.Method) && !isJSONPost(r):
			http.Error(w, "a change must be a POST of application/json from this origin", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	}))
}

func (a Admin) knowsHost(hostPort string) bool {
	host := hostPort
	if h, _, err := net.SplitHostPort(hostPort); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return isLoopbackHost(host) || slices.ContainsFunc(a.Hosts, func(known string) bool { return strings.EqualFold(host, known) })
}

// authorized compares hashes, so that the time tells nothing, the length included.
func (a Admin) authorized(r *http.Request) bool {
	if a.Token == "" {
		return true
	}
	given, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer {
		_, given, _ = r.BasicAuth()
	}
	want, got := sha256.Sum256([]byte(a.Token)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// isJSONPost tells whether a request that changes something can't come from a page of another origin, even if its browser
// does not say where it is from: pages can't send JSON elsewhere without asking first.
func isJSONPost(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method == http.MethodPost && err == nil && kind == "application/json"
}

// isForeign tells whether a browser sends the request for a page of another origin. To follow a link from there is no such
// request.
func isForeign(r *http.Request) bool {
	navigates := isSafe(r.Method) && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	if !navigates && !fromSameSite(r) {
		return true
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return false
	}
	origin, err := url.Parse(origins[0])
	return err != nil || len(origins) != 1 || origin.Host == "" || !strings.EqualFold(origin.Host, r.Host)
}

// fromSameSite tells whether a browser does not say that the request is from elsewhere.
func fromSameSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}
