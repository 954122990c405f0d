package stream

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRule12URL(t *testing.T) {
	for _, test := range []struct {
		name    string
		base    string
		version int
		want    string
	}{
		{"no path", "https://example.com", 1, "https://example.com/relay_auto_config"},
		{"a slash", "https://example.com/", 1, "https://example.com/relay_auto_config"},
		{"a base path", "http://example.com:8030/a/b/", 1, "http://example.com:8030/a/b/relay_auto_config"},
		{"escapes and a query", "http://example.com/a%2Fb?x=1&y=%20", 1, "http://example.com/a%2Fb/relay_auto_config?x=1&y=%20"},
		{"a query, a fragment and a version", "http://example.com?x=1#fragment", 2, "http://example.com/relay_auto_config?x=1&rpacProtocolVersion=2"},
		{"an IPv6 address", "HTTP://[::1]:8030", 2, "http://[::1]:8030/relay_auto_config?rpacProtocolVersion=2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			u, err := URL(test.base, test.version)
			require.NoError(t, err)
			assert.Equal(t, test.want, u.String())
			assert.True(t, strings.HasPrefix(u.RequestURI(), "/"), "HTTP/2 takes nothing else")
		})
	}
}

func TestTheExactRetryAfterHeader(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"0.000": 0, "1.250": 1250 * time.Millisecond, "7": 7 * time.Second, "7200": time.Hour, "1e300": time.Hour, "Inf": time.Hour,
		"": -1, "-1": -1, "NaN": -1, "soon": -1, "1,5": -1,
	} {
		after, ok := exactRetryAfter(header)
		assert.Equal(t, want >= 0, ok, header)
		assert.Equal(t, max(0, want), after, header)
	}
}

func TestRule15RetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "7200": time.Hour, "99999999999999999999": 0, "18446744073709551615": time.Hour,
		"-5": 0, "1.5": 0, "soon": 0,
		now.Add(90 * time.Second).Format(http.TimeFormat):   90 * time.Second,
		now.Add(-90 * time.Second).Format(http.TimeFormat):  0,
		now.Add(9000 * time.Second).Format(http.TimeFormat): time.Hour,
	} {
		assert.Equal(t, want, retryAfter(header, now), header)
	}
}
