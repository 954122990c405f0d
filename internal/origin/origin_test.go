package origin

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u
}

func TestKeptThroughAChainOfRedirects(t *testing.T) {
	chain := func(urls ...string) *http.Request {
		var last *http.Request
		for _, u := range urls {
			request := &http.Request{URL: mustParse(t, u)}
			if last != nil {
				request.Response = &http.Response{Request: last}
			}
			last = request
		}
		return last
	}
	assert.True(t, Kept(chain("https://a")))
	assert.True(t, Kept(chain("https://a", "https://a/b", "https://A:443/c")))
	assert.False(t, Kept(chain("https://a", "https://b")))
	assert.False(t, Kept(chain("https://a", "https://b", "https://a")), "it has left and come back")
	assert.False(t, Kept(&http.Request{URL: mustParse(t, "https://a"), Response: &http.Response{}}), "nobody knows where it came from")
}

func TestOriginIsSchemeHostAndPort(t *testing.T) {
	const base = "https://relay.test/path?x=1"
	for other, same := range map[string]bool{
		"https://relay.test": true, "https://relay.test:443/other": true, "HTTPS://Relay.Test": true, "https://u@relay.test": true,
		"http://relay.test": false, "http://relay.test:443": false, "https://relay.test:8443": false,
		"https://sub.relay.test": false, "https://relay.test.": false, "https://test": false,
	} {
		assert.Equal(t, same, of(mustParse(t, base)) == of(mustParse(t, other)), other)
	}
	assert.Equal(t, of(mustParse(t, "http://[::1]")), of(mustParse(t, "http://[::1]:80/")))
}

func TestPortDefaultsToThatOfTheScheme(t *testing.T) {
	for rawURL, want := range map[string]string{
		"http://a": "80", "https://a": "443", "http://a:8080": "8080", "https://[::1]": "443", "socks5://a": "", "socks5://a:1": "1",
	} {
		assert.Equal(t, want, Port(mustParse(t, rawURL)), rawURL)
	}
}
