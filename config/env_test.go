package config_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

type vars map[string]string

func (v vars) lookup(name string) (string, bool) { value, ok := v[name]; return value, ok }

func defaults() config.Config {
	return config.Config{
		AutoConfig: config.AutoConfigConfig{StreamURI: config.DefaultStreamURI},
		LogLevel:   ldlog.Info,
	}
}

func TestFromEnvReadsEveryVariable(t *testing.T) {
	got, err := config.FromEnv(vars{
		"AUTO_CONFIG_KEY": rawAutoConfigKey, "STREAM_URI": "http://stream.example:8080/base?x=1",
		"ENV_DATASTORE_PREFIX": "p-$CID", "ENV_DATASTORE_TABLE_NAME": "t-$CID",
		"ENV_ALLOWED_ORIGIN": "https://a.example,https://b.example", "ENV_ALLOWED_HEADER": "X-A,X-B",
		"PROXY_URL": "http://proxy.example:3128", "PROXY_AUTH_NTLM": "true", "PROXY_AUTH_USER": "user",
		"PROXY_AUTH_PASSWORD": password, "PROXY_AUTH_DOMAIN": "domain", "PROXY_CA_CERTS": "/a.pem,/b.pem",
		"CACHE_REDIS_URL": " redis://user:" + password + "@redis.example:6379/0\n",
		"INIT_TIMEOUT":    "1m30s", "LOG_LEVEL": "debug",
	}.lookup)
	require.NoError(t, err)
	assert.Equal(t, config.Config{
		AutoConfig: config.AutoConfigConfig{
			Key: rawAutoConfigKey, StreamURI: "http://stream.example:8080/base?x=1",
			EnvDatastorePrefix: "p-$CID", EnvDatastoreTableName: "t-$CID",
			EnvAllowedOrigin: []string{"https://a.example", "https://b.example"}, EnvAllowedHeader: []string{"X-A", "X-B"},
			InitTimeout: 90 * time.Second,
		},
		Proxy: config.ProxyConfig{
			URL:      &url.URL{Scheme: "http", Host: "proxy.example:3128"},
			NTLMAuth: true, User: "user", Password: password, Domain: "domain", CACertFiles: []string{"/a.pem", "/b.pem"},
		},
		Cache:    config.CacheConfig{RedisURL: "redis://user:" + password + "@redis.example:6379/0"},
		LogLevel: ldlog.Debug,
	}, got)
	got, err = config.FromEnv(vars{"CACHE_FILE": "/var/lib/relay/cache"}.lookup)
	require.NoError(t, err)
	assert.Equal(t, config.CacheConfig{File: "/var/lib/relay/cache"}, got.Cache)
}

func TestTwoCachesAreRefusedWithoutQuotingTheURL(t *testing.T) {
	_, err := config.FromEnv(vars{"CACHE_FILE": "/cache", "CACHE_REDIS_URL": "redis://user:" + password + "@redis"}.lookup)
	require.ErrorContains(t, err, "CACHE_REDIS_URL (CacheConfig.RedisURL) is set, and so is CACHE_FILE")
	assert.NotContains(t, err.Error(), password)
}

func TestFromEnvCountsEmptyAndMissingVariablesAsUnset(t *testing.T) {
	empty, blank := vars{}, vars{}
	for _, name := range strings.Fields(`AUTO_CONFIG_KEY STREAM_URI ENV_DATASTORE_PREFIX ENV_DATASTORE_TABLE_NAME
		ENV_ALLOWED_ORIGIN ENV_ALLOWED_HEADER PROXY_URL PROXY_AUTH_NTLM PROXY_AUTH_USER PROXY_AUTH_PASSWORD
		PROXY_AUTH_DOMAIN PROXY_CA_CERTS INIT_TIMEOUT CACHE_FILE
		CACHE_REDIS_URL LOG_LEVEL`) {
		empty[name] = ""
	}
	for _, name := range strings.Fields(`AUTO_CONFIG_KEY STREAM_URI ENV_ALLOWED_ORIGIN ENV_ALLOWED_HEADER PROXY_URL
		PROXY_AUTH_NTLM PROXY_CA_CERTS INIT_TIMEOUT LOG_LEVEL`) {
		blank[name] = " \t"
	}
	for name, env := range map[string]vars{"missing": {}, "empty": empty, "blank": blank} {
		t.Run(name, func(t *testing.T) {
			got, err := config.FromEnv(env.lookup)
			require.NoError(t, err)
			assert.Equal(t, defaults(), got)
		})
	}
}

func TestFromEnvTakesTheseValues(t *testing.T) {
	for _, c := range []struct {
		name, variable, value string
		want                  func(*config.Config)
	}{
		{"white space around the key", "AUTO_CONFIG_KEY", " \t" + rawAutoConfigKey + "\r\n", func(c *config.Config) {
			c.AutoConfig.Key = rawAutoConfigKey
		}},
		{"white space around a URI", "STREAM_URI", " https://s.example ", func(c *config.Config) {
			c.AutoConfig.StreamURI = "https://s.example"
		}},
		{"scheme in capitals", "STREAM_URI", "HTTPS://s.example", func(c *config.Config) {
			c.AutoConfig.StreamURI = "HTTPS://s.example"
		}},
		{"IPv6 host", "STREAM_URI", "http://[::1]:8080", func(c *config.Config) { c.AutoConfig.StreamURI = "http://[::1]:8080" }},
		{"list with white space and empty items", "ENV_ALLOWED_ORIGIN", " a , ,b,,", func(c *config.Config) {
			c.AutoConfig.EnvAllowedOrigin = []string{"a", "b"}
		}},
		{"list of one", "ENV_ALLOWED_HEADER", "X-A", func(c *config.Config) {
			c.AutoConfig.EnvAllowedHeader = []string{"X-A"}
		}},
		{"list of nothing", "PROXY_CA_CERTS", " , ", func(*config.Config) {}},
		{"no limit", "INIT_TIMEOUT", "0", func(*config.Config) {}},
		{"milliseconds", "INIT_TIMEOUT", "250ms", func(c *config.Config) { c.AutoConfig.InitTimeout = 250 * time.Millisecond }},
		{"socks5 proxy", "PROXY_URL", "socks5://p.example", func(c *config.Config) {
			c.Proxy.URL = &url.URL{Scheme: "socks5", Host: "p.example"}
		}},
		{"credentials in the proxy's URL", "PROXY_URL", "https://u:p@p.example", func(c *config.Config) {
			c.Proxy.URL = &url.URL{Scheme: "https", Host: "p.example", User: url.UserPassword("u", "p")}
		}},
		{"no NTLM", "PROXY_AUTH_NTLM", "fAlSe", func(*config.Config) {}},
		{"no NTLM as a digit", "PROXY_AUTH_NTLM", "0", func(*config.Config) {}},
		{"white space in a user name", "PROXY_AUTH_USER", " u ", func(c *config.Config) { c.Proxy.User = " u " }},
		{"level debug", "LOG_LEVEL", "DEBUG", func(c *config.Config) { c.LogLevel = ldlog.Debug }},
		{"level info", "LOG_LEVEL", "Info", func(c *config.Config) { c.LogLevel = ldlog.Info }},
		{"level warn", "LOG_LEVEL", "warn", func(c *config.Config) { c.LogLevel = ldlog.Warn }},
		{"level error", "LOG_LEVEL", "eRRor", func(c *config.Config) { c.LogLevel = ldlog.Error }},
		{"level none", "LOG_LEVEL", " none ", func(c *config.Config) { c.LogLevel = ldlog.None }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := defaults()
			c.want(&want)
			got, err := config.FromEnv(vars{c.variable: c.value}.lookup)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestFromEnvRejectsTheseValues(t *testing.T) {
	for _, c := range []struct{ name, variable, value, wantPart string }{
		{"space in the key", "AUTO_CONFIG_KEY", "rel-secret key", "white space"},
		{"line break in the key", "AUTO_CONFIG_KEY", "rel-secret\nkey", "control character"},
		{"NUL in the key", "AUTO_CONFIG_KEY", "rel-secret\x00key", "control character"},
		{"non-ASCII key", "AUTO_CONFIG_KEY", "rel-secret-é", "not ASCII"},
		{"DEL in the key", "AUTO_CONFIG_KEY", "rel-secret\x7f", "control character"},
		{"invalid UTF-8 in the key", "AUTO_CONFIG_KEY", "rel-secret\xff", "not ASCII"},
		{"no scheme", "STREAM_URI", "stream.example", "must start with http:// or https://"},
		{"host and port only", "STREAM_URI", "stream.example:443", "must start with http:// or https://"},
		{"another scheme", "STREAM_URI", "ftp://stream.example", "must start with http:// or https://"},
		{"no host", "STREAM_URI", "https://", "has no host"},
		{"port but no host", "STREAM_URI", "https://:443", "has no host"},
		{"opaque", "STREAM_URI", "https:stream.example", "must start with"},
		{"not a URL", "STREAM_URI", "https://[::1", "is not a URL"},
		{"port too large", "STREAM_URI", "https://stream.example:65536", "port"},
		{"user in the stream URI", "STREAM_URI", "https://u:secret@stream.example", "Remove it"},
		{"fragment in the stream URI", "STREAM_URI", "https://stream.example/#secret", "fragment"},
		{"not a URL, with a password", "PROXY_URL", "http://u:secret@[::1", "is not a URL"},
		{"proxy without scheme", "PROXY_URL", "proxy.example:3128", "Write it like http://proxy.example:3128"},
		{"proxy without host", "PROXY_URL", "http://u:secret@:3128", "has no host"},
		{"proxy of another scheme", "PROXY_URL", "ftp://u:secret@p.example", "must start with http://, https://, socks5:// or"},
		{"not a boolean", "PROXY_AUTH_NTLM", "maybe", "Write true or false"},
		{"bare number", "INIT_TIMEOUT", "30", "Write 30s"},
		{"negative time", "INIT_TIMEOUT", "-1s", "can't be negative"},
		{"not a time", "INIT_TIMEOUT", "soon", "not a duration"},
		{"no such level", "LOG_LEVEL", "verbose", "debug, info, warn, error or none"},
		{"a number as level", "LOG_LEVEL", "1", "debug, info, warn, error or none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := config.FromEnv(vars{c.variable: c.value}.lookup)
			require.Error(t, err)
			assert.Zero(t, got)
			assert.True(t, strings.HasPrefix(err.Error(), c.variable+" ("), err)
			assert.Contains(t, err.Error(), c.wantPart)
			assert.NotContains(t, err.Error(), "secret")
			var setting *config.SettingError
			require.ErrorAs(t, err, &setting)
			assert.Equal(t, c.variable, setting.Variable)
		})
	}
}

func TestFromEnvReportsEveryBadVariableAtOnce(t *testing.T) {
	_, err := config.FromEnv(vars{
		"AUTO_CONFIG_KEY": "rel-secret key", "STREAM_URI": "nonsense", "INIT_TIMEOUT": "30", "PROXY_URL": "nonsense",
		"PROXY_AUTH_NTLM": "maybe", "LOG_LEVEL": "loud",
	}.lookup)
	assert.Equal(t, []string{"AUTO_CONFIG_KEY", "STREAM_URI", "INIT_TIMEOUT", "PROXY_AUTH_NTLM", "LOG_LEVEL", "PROXY_URL"},
		badVariables(t, err))
	assert.Len(t, strings.Split(err.Error(), "\n"), 6, "one line each")
}

func TestFromEnvReportsNTLMSettingsThatAreMissing(t *testing.T) {
	for _, c := range []struct {
		name string
		env  vars
		want []string
	}{
		{"nothing but NTLM", vars{}, []string{"PROXY_URL", "PROXY_AUTH_USER", "PROXY_AUTH_PASSWORD"}},
		{"no URL", vars{"PROXY_AUTH_USER": "u", "PROXY_AUTH_PASSWORD": "p"}, []string{"PROXY_URL"}},
		{"no user", vars{"PROXY_URL": "http://p.example", "PROXY_AUTH_PASSWORD": "p"}, []string{"PROXY_AUTH_USER"}},
		{"no password", vars{"PROXY_URL": "http://p.example", "PROXY_AUTH_USER": "u"}, []string{"PROXY_AUTH_PASSWORD"}},
		{"a URL that can't be read is not missing", vars{"PROXY_URL": "://", "PROXY_AUTH_USER": "u"},
			[]string{"PROXY_URL", "PROXY_AUTH_PASSWORD"}},
		{"SOCKS has no NTLM", vars{"PROXY_URL": "socks5://u:p@p.example"}, []string{"PROXY_URL"}},
		{"credentials in the URL", vars{"PROXY_URL": "http://u:p@p.example"}, nil},
		{"user in the URL", vars{"PROXY_URL": "http://u@p.example", "PROXY_AUTH_PASSWORD": "p"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.env["PROXY_AUTH_NTLM"] = "1"
			_, err := config.FromEnv(c.env.lookup)
			assert.Equal(t, c.want, badVariables(t, err))
		})
	}
}

func TestProxyPasswordNeedsAUser(t *testing.T) {
	_, err := config.FromEnv(vars{"PROXY_URL": "http://p.example", "PROXY_AUTH_PASSWORD": "secret"}.lookup)
	assert.Equal(t, []string{"PROXY_AUTH_USER"}, badVariables(t, err))
	assert.NotContains(t, err.Error(), "secret")
}

func TestProxyCredentialsComeFromTheFieldsOrElseTheURL(t *testing.T) {
	both := &url.URL{User: url.UserPassword("url-user", "url-password")}
	for _, c := range []struct {
		name           string
		proxy          config.ProxyConfig
		user, password string
	}{
		{"none", config.ProxyConfig{}, "", ""},
		{"fields", config.ProxyConfig{User: "u", Password: "p"}, "u", "p"},
		{"URL", config.ProxyConfig{URL: both}, "url-user", "url-password"},
		{"fields before URL", config.ProxyConfig{URL: both, User: "u", Password: "p"}, "u", "p"},
		{"a user's password is not another's", config.ProxyConfig{URL: both, User: "u"}, "u", ""},
		{"URL with a new password", config.ProxyConfig{URL: both, Password: "p"}, "url-user", "p"},
	} {
		t.Run(c.name, func(t *testing.T) {
			user, password := c.proxy.Credentials()
			assert.Equal(t, []string{c.user, c.password}, []string{user, password})
		})
	}
}

func TestSettingErrorUnwrapsItsCause(t *testing.T) {
	cause := errors.New("cause")
	assert.ErrorIs(t, &config.SettingError{Err: cause}, cause)
}

// badVariables returns the variables of a joined error, in order.
func badVariables(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "%T", err)
	var names []string
	for _, err := range joined.Unwrap() {
		var setting *config.SettingError
		require.ErrorAs(t, err, &setting)
		names = append(names, setting.Variable)
	}
	return names
}
