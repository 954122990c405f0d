package httpconfig

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

// site is a set of hosts on one server, which is a proxy to the client. It redirects as told and notes what it sees.
type site struct {
	redirects map[string]string // from URL to URL
	mu        sync.Mutex
	seen      []string // URL, Authorization and User-Agent of each request
	instances []string // Relayconf-Instance of each
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, fmt.Sprintf("%s %q %s", r.RequestURI, r.Header.Get("Authorization"), r.UserAgent()))
	s.instances = append(s.instances, r.Header.Get("Relayconf-Instance"))
	s.mu.Unlock()
	if to := s.redirects[r.RequestURI]; to != "" {
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	}
}

func TestKeyAndInstanceGoToTheOriginOnly(t *testing.T) {
	const withKey, without = ` "` + string(testKey) + `" ` + testAgent, ` "" ` + testAgent
	for _, c := range []struct {
		name string
		hops []string // the first is requested, and each redirects to the next
		want []string
	}{
		{"no redirect", []string{"http://relay.test/"}, []string{withKey}},
		{"same origin", []string{"http://relay.test/", "http://relay.test/b", "http://relay.test/c"},
			[]string{withKey, withKey, withKey}},
		{"same origin, spelt with its port", []string{"http://relay.test/", "http://relay.test:80/b"}, []string{withKey, withKey}},
		{"same origin, in capitals", []string{"http://relay.test/", "http://RELAY.test/b"}, []string{withKey, withKey}},
		{"another host", []string{"http://relay.test/", "http://other.test/"}, []string{withKey, without}},
		{"subdomain", []string{"http://relay.test/", "http://sub.relay.test/"}, []string{withKey, without}},
		{"parent domain", []string{"http://sub.relay.test/", "http://relay.test/"}, []string{withKey, without}},
		{"another port", []string{"http://relay.test/", "http://relay.test:8080/"}, []string{withKey, without}},
		{"another host and on from there", []string{"http://relay.test/", "http://other.test/", "http://other.test/b"},
			[]string{withKey, without, without}},
		{"another host and back", []string{"http://relay.test/", "http://other.test/", "http://relay.test/b"},
			[]string{withKey, without, without}},
		{"credentials in the redirect", []string{"http://relay.test/", "http://u:p@other.test/"}, []string{withKey, without}},
	} {
		for how, header := range map[string]http.Header{
			"key of the configuration": {},
			"key of the request":       {"Authorization": {string(testKey)}},
			"header in small letters":  {"authorization": {string(testKey)}},
		} {
			header["Relayconf-Instance"] = []string{"test-instance"}
			t.Run(c.name+", "+how, func(t *testing.T) {
				s := &site{redirects: map[string]string{}}
				var want, instances []string
				for i, hop := range c.hops {
					if i > 0 {
						s.redirects[c.hops[i-1]] = hop
					}
					want = append(want, strings.Replace(hop, "u:p@", "", 1)+c.want[i])
					instances = append(instances, map[string]string{withKey: "test-instance"}[c.want[i]])
				}
				proxy := newServer(t, s.ServeHTTP)
				client := newConfig(t, config.ProxyConfig{URL: mustParse(t, proxy.URL)}).Client()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.hops[0], nil)
				require.NoError(t, err)
				req.Header = header.Clone()
				resp, err := client.Do(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, want, s.seen)
				assert.Equal(t, instances, s.instances)
				assert.Equal(t, header, req.Header, "a RoundTripper must not change the request")
			})
		}
	}
}

func TestKeyIsNotSentFromHTTPToHTTPSEither(t *testing.T) {
	ca := newPrivateCA(t)
	var got []string
	secure := newTLSServer(t, ca, true, func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Values("Authorization") })
	plain := newServer(t, http.RedirectHandler(secure.URL, http.StatusFound).ServeHTTP)
	resp, err := get(t, newConfig(t, config.ProxyConfig{CACertFiles: []string{ca.file}}).Client(), plain.URL)
	require.NoError(t, err)
	assert.Equal(t, secure.URL, resp.Request.URL.String())
	assert.Empty(t, got)
}

func TestRedirectFromHTTPSToHTTPIsRefused(t *testing.T) {
	ca := newPrivateCA(t)
	plain := newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("the request was made") })
	secure := newTLSServer(t, ca, true, http.RedirectHandler(plain.URL, http.StatusFound).ServeHTTP)
	_, err := get(t, newConfig(t, config.ProxyConfig{CACertFiles: []string{ca.file}}).Client(), secure.URL)
	assert.ErrorContains(t, err, "the service redirected from https to http")
}

func TestAtMostTenRedirects(t *testing.T) {
	requests := 0
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		left, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if left > 0 {
			http.Redirect(w, r, "/"+strconv.Itoa(left-1), http.StatusFound)
		}
	})
	client := newConfig(t, config.ProxyConfig{}).Client()
	_, err := get(t, client, server.URL+"/10")
	require.NoError(t, err)
	assert.Equal(t, 11, requests)
	requests = 0
	_, err = get(t, client, server.URL+"/11")
	assert.ErrorContains(t, err, "stopped after 10 redirects")
	assert.Equal(t, 11, requests)
}

func TestHeadersOfTheRequestWin(t *testing.T) {
	s := &site{}
	proxy := newServer(t, s.ServeHTTP)
	client := newConfig(t, config.ProxyConfig{URL: mustParse(t, proxy.URL)}).Client()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://relay.test/", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "rel-rotated")
	req.Header.Set("User-Agent", "mine")
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, []string{`http://relay.test/ "rel-rotated" mine`}, s.seen)
}

func TestCredentialsWithoutAHeaderSendNone(t *testing.T) {
	for name, credential := range map[string]config.SDKCredential{
		"none": nil, "environment id": config.EnvironmentID("env"), "empty key": config.SDKKey(""),
	} {
		t.Run(name, func(t *testing.T) {
			var header http.Header
			server := newServer(t, func(_ http.ResponseWriter, r *http.Request) { header = r.Header })
			c, err := NewHTTPConfig(config.ProxyConfig{}, credential, "", ldlog.NewDisabledLoggers())
			require.NoError(t, err)
			_, err = get(t, c.Client(), server.URL)
			require.NoError(t, err)
			assert.NotContains(t, header, "Authorization")
			assert.Contains(t, header.Get("User-Agent"), "Go-http-client", "the default of net/http")
		})
	}
}

func TestResponsesDoNotHoldTheKey(t *testing.T) {
	server := newServer(t, func(http.ResponseWriter, *http.Request) {})
	resp, err := get(t, newConfig(t, config.ProxyConfig{}).Client(), server.URL)
	require.NoError(t, err)
	assert.Empty(t, resp.Request.Header)
}
