package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

const (
	rawAutoConfigKey = "rel-11111111-1111-4111-8111-11111111auto"
	rawSDKKey        = "sdk-22222222-2222-4222-8222-22222222sdky"
	rawMobileKey     = "mob-33333333-3333-4333-8333-33333333mobi"
	secretPart       = "-4" // in each raw key, in no masked one
	urlUser          = "mallory"
	urlPassword      = "hunter2"
	password         = "correct-horse"
)

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%+q", "%#q", "%x", "%X", "% x", "%d", "%t", "%e", "%c", "%U", "%b", "%o",
	"%60v", "%-60s|", "%z"}

func TestKeysPrintMaskedWithEveryVerb(t *testing.T) {
	for _, key := range []any{
		config.AutoConfigKey(rawAutoConfigKey), config.SDKKey(rawSDKKey), config.MobileKey(rawMobileKey),
	} {
		t.Run(fmt.Sprintf("%T", key), func(t *testing.T) {
			for _, verb := range verbs {
				assertNoSecret(t, verb, fmt.Sprintf(verb, key))
			}
		})
	}
}

func TestKeysShowTheirLastFourCharacters(t *testing.T) {
	key := config.SDKKey(rawSDKKey)
	for verb, want := range map[string]string{
		"%v": "…sdky", "%+v": "…sdky", "%s": "…sdky", "%q": `"…sdky"`, "%#v": `config.SDKKey("…sdky")`,
		"%7s": "  …sdky", "%-7s|": "…sdky  |", "%x": "e280a673646b79",
	} {
		assert.Equal(t, want, fmt.Sprintf(verb, key), verb)
	}
	assert.Equal(t, "…sdky", key.String())
	assert.Equal(t, "…sdky", fmt.Sprint(key))
	assert.Equal(t, "…sdky", fmt.Sprintf("%v", &key))
	assert.Equal(t, `config.AutoConfigKey("…auto")`, fmt.Sprintf("%#v", config.AutoConfigKey(rawAutoConfigKey)))
	assert.Equal(t, `config.MobileKey("…mobi")`, fmt.Sprintf("%#v", config.MobileKey(rawMobileKey)))
}

func TestKeysInSlogAreMasked(t *testing.T) {
	for name, handler := range slogHandlers() {
		t.Run(name, func(t *testing.T) {
			out := logged(handler, "k", config.AutoConfigKey(rawAutoConfigKey), "s", config.SDKKey(rawSDKKey),
				"m", config.MobileKey(rawMobileKey))
			assertNoSecret(t, name, out)
			for _, want := range []string{"…auto", "…sdky", "…mobi"} {
				assert.Contains(t, out, want)
			}
		})
	}
}

func TestKeysGiveTheirRawValueOnlyWhenAsked(t *testing.T) {
	assert.Equal(t, rawAutoConfigKey, string(config.AutoConfigKey(rawAutoConfigKey)))
	for raw, credential := range map[string]config.SDKCredential{
		rawAutoConfigKey: config.AutoConfigKey(rawAutoConfigKey),
		rawSDKKey:        config.SDKKey(rawSDKKey),
		rawMobileKey:     config.MobileKey(rawMobileKey),
		"":               config.EnvironmentID("env"),
	} {
		assert.Equal(t, raw, credential.GetAuthorizationHeaderValue())
	}
}

func TestKeysAndIDsUnmarshalFromText(t *testing.T) {
	var got struct {
		A config.AutoConfigKey
		S config.SDKKey
		M config.MobileKey
		E map[config.EnvironmentID]config.FilterID
		F config.FilterKey
	}
	text := `{"A":"` + rawAutoConfigKey + `","S":"` + rawSDKKey + `","M":"` + rawMobileKey + `","E":{"env":"web.eu"},"F":"eu"}`
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	assert.Equal(t, rawAutoConfigKey, string(got.A))
	assert.Equal(t, rawSDKKey, string(got.S))
	assert.Equal(t, rawMobileKey, string(got.M))
	assert.Equal(t, map[config.EnvironmentID]config.FilterID{"env": "web.eu"}, got.E)
	assert.Equal(t, config.FilterKey("eu"), got.F)
}

func TestConfigurationPrintsWithoutSecrets(t *testing.T) {
	for name, value := range configurations() {
		t.Run(name, func(t *testing.T) {
			for _, verb := range verbs {
				assertNoSecret(t, verb, fmt.Sprintf(verb, value))
			}
			for handlerName, handler := range slogHandlers() {
				assertNoSecret(t, handlerName, logged(handler, "value", value))
			}
		})
	}
}

func TestConfigurationPrintsWhatIsNotSecret(t *testing.T) {
	c := fullConfig()
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		out := fmt.Sprintf(verb, c)
		for _, want := range []string{"…auto", "stream.example", "prefix-$CID", "https://a.example", "proxy-user", "/ca.pem", "/cache"} {
			assert.Contains(t, out, want, verb)
		}
		assert.NotContains(t, out, "printed", "the name of an inner type")
	}
	assert.Contains(t, fmt.Sprintf("%+v", c), "URL:http://xxxxx@proxy.example:3128")
	assert.Contains(t, fmt.Sprintf("%#v", c.Proxy), "config.ProxyConfig{")
	out := logged(slogHandlers()["json"], "c", c)
	for _, want := range []string{`"key":"…auto"`, `"streamURI":"https://xxxxx@stream.example"`, `"password":"…"`,
		`"url":"http://xxxxx@proxy.example:3128"`, `"caCertFiles":["/ca.pem"]`, `"logLevel":"Debug"`,
		`"cache":{"file":"/cache","redisURL":"…"}`} {
		assert.Contains(t, out, want)
	}
	assert.Contains(t, logged(slogHandlers()["json"], "c", config.Config{}), `"url":""`, "no proxy")
}

func TestPrintingLeavesTheConfigurationAsItWas(t *testing.T) {
	c := fullConfig()
	_, _ = fmt.Sprintf("%+v", c), logged(slogHandlers()["json"], "c", c)
	assert.Equal(t, password, c.Proxy.Password)
	assert.Equal(t, urlUser+":"+urlPassword, c.Proxy.URL.User.String())
}

func TestURLsThatCannotBeReadAreHiddenWhole(t *testing.T) {
	for uri, want := range map[string]string{
		"https://stream.example/base?x=1":      "https://stream.example/base?x=1",
		"":                                     "",
		"https://mallory:hunter2@h/p":          "https://xxxxx@h/p",
		"https://mallory:hunter2@h:bad-port/p": "xxxxx",
		"mailto:mallory@hunter2":               "mailto:xxxxx",
		"https://h:bad-port/p":                 "https://h:bad-port/p",
	} {
		assert.Contains(t, fmt.Sprintf("%+v", config.AutoConfigConfig{StreamURI: uri}), "StreamURI:"+want+" ", uri)
	}
	opaque := &url.URL{Scheme: "http", Opaque: "mallory:hunter2@h"}
	assert.Contains(t, fmt.Sprintf("%+v", config.ProxyConfig{URL: opaque}), "URL:http:xxxxx ")
}

func fullConfig() config.Config {
	return config.Config{
		AutoConfig: config.AutoConfigConfig{
			Key:                rawAutoConfigKey,
			StreamURI:          "https://" + urlUser + ":" + urlPassword + "@stream.example",
			EnvDatastorePrefix: "prefix-$CID",
			EnvAllowedOrigin:   []string{"https://a.example"},
		},
		Proxy: config.ProxyConfig{
			URL:  &url.URL{Scheme: "http", Host: "proxy.example:3128", User: url.UserPassword(urlUser, urlPassword)},
			User: "proxy-user", Password: password, CACertFiles: []string{"/ca.pem"},
		},
		Cache:    config.CacheConfig{File: "/cache", RedisURL: "redis://" + urlUser + ":" + urlPassword + "@redis.example"},
		LogLevel: 1,
	}
}

func configurations() map[string]any {
	c := fullConfig()
	e := config.EnvConfig{SDKKey: rawSDKKey, MobileKey: rawMobileKey, EnvID: "env"}
	return map[string]any{
		"Config": c, "pointer to Config": &c,
		"AutoConfigConfig": c.AutoConfig, "pointer to AutoConfigConfig": &c.AutoConfig,
		"ProxyConfig": c.Proxy, "pointer to ProxyConfig": &c.Proxy,
		"CacheConfig": c.Cache, "pointer to CacheConfig": &c.Cache,
		"EnvConfig": e, "pointer to EnvConfig": &e,
	}
}

func assertNoSecret(t *testing.T, how, out string) {
	t.Helper()
	assert.NotEmpty(t, out, how)
	for _, secret := range []string{secretPart, urlUser, urlPassword, password} {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret)} {
			assert.NotContains(t, out, form, how)
		}
	}
}

func slogHandlers() map[string]func(*bytes.Buffer) slog.Handler {
	return map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	}
}

// logged returns what is logged, without the time, which may look like a part of a key.
func logged(handler func(*bytes.Buffer) slog.Handler, args ...any) string {
	var b bytes.Buffer
	slog.New(handler(&b)).Info("message", args...)
	_, out, _ := strings.Cut(b.String(), "message")
	return out
}
