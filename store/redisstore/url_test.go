package redisstore

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABadURLSaysWhatIsWrongAndQuotesNoPassword(t *testing.T) {
	noCertificate := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(noCertificate, []byte("nothing"), 0o600))
	for url, want := range map[string]string{
		"":                           `its scheme is ""`,
		"http://h":                   `its scheme is "http"`,
		"redis+mirror://h":           `its scheme is "redis+mirror"`,
		"unix+cluster:///sock":       `its scheme is "unix+cluster"`,
		"redis://u:hun/ter2@h:1":     "percent-encoded",
		"redis://hunter2@h:1\x7f":    "percent-encoded",
		"redis://u/hunter2@h":        "the number of a database",
		"redis://h/hunter2":          "the number of a database",
		"redis://h?surprise=hunter2": "unexpected option: surprise",
		"redis://h:99999":            "its port is 99999; it should be a number from 1 to 65535",
		"rediss://u:hunter2@[::1]:0": "its port is 0; it should be",
		"redis+sentinel://h:1?master_name=m&addr=h2:65536":            "its port is 65536; it should be",
		"redis+cluster://h:1?addr=h2:2&addr=[::1]:70000":              "its port is 70000; it should be",
		"redis+sentinel://h:1":                                        "master_name",
		"redis+sentinel://h:1?master_name=m&replica_only=true":        "replicas",
		"redis+cluster://h:1?read_only=true":                          "replicas",
		"redis+cluster://h:1?addr=u:hunter2@h:2":                      "without a user",
		"redis://h?ca_file=/missing":                                  "begin it with rediss",
		"rediss://h?ca_file=" + filepath.Join(t.TempDir(), "missing"): "could not read the ca_file",
		"rediss://h?ca_file=" + noCertificate:                         "no certificate",
		"redis://h?prefix={a}":                                        "brace",
	} {
		t.Run(url, func(t *testing.T) {
			_, err := NewFromURL(url, Options{Key: key})
			require.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "ter2")
		})
	}
}

func TestTheURLSaysWhichClient(t *testing.T) {
	for url, want := range map[string]redis.UniversalClient{
		"redis://u:p@h:1/2":           &redis.Client{},
		"rediss://h":                  &redis.Client{},
		"unix:///run/redis.sock?db=1": &redis.Client{},
		"redis+sentinel://h:1/3?master_name=m&addr=h2:2":    &redis.Client{},
		"rediss+sentinel://h:1?master_name=m&password=p":    &redis.Client{},
		"redis+cluster://u:p@h:1?addr=h2:2&read_timeout=3s": &redis.ClusterClient{},
		"rediss+cluster://u:p@h:1":                          &redis.ClusterClient{},
		"redis+cluster://[::1]:65535?addr=h2:2":             &redis.ClusterClient{},
	} {
		t.Run(url, func(t *testing.T) {
			s := newStore(t, url, Options{})
			assert.IsType(t, want, s.client)
		})
	}
	single := newStore(t, "redis://h?write_timeout=2s", Options{}).client.(*redis.Client).Options()
	assert.Equal(t, transferTimeout, single.ReadTimeout, "a large value takes its time")
	assert.Equal(t, "2s", single.WriteTimeout.String(), "unless the URL says else")
	assert.Equal(t, 1, single.DialerRetries, "a server that is down is reported at once")
}

func TestAClientIsOfThePlaceThatTheURLSays(t *testing.T) {
	for url, want := range map[string][2]string{
		"redis://u:hunter2@h:1/2?prefix=team-a":                 {"h:1", "team-a"},
		"unix:///run/redis.sock":                                {"/run/redis.sock", ""},
		"redis+cluster://h:1?addr=h2:2&prefix=a":                {"h:1", "a"},
		"redis+sentinel://h:1/3?master_name=m&password=hunter2": {"h:1", ""},
	} {
		c, err := NewClient(url, time.Second)
		require.NoError(t, err, url)
		assert.Equal(t, want, [2]string{c.Server, c.Prefix}, url)
		if single, ok := c.UniversalClient.(*redis.Client); ok {
			assert.Equal(t, time.Second, single.Options().ReadTimeout, url)
		}
		require.NoError(t, c.Close())
	}
	_, err := NewClient("redis://u:hun/ter2@h:1", time.Second)
	require.ErrorContains(t, err, "percent-encoded")
	assert.NotContains(t, err.Error(), "ter2")
}
