package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/relayconf/relayconf/internal/mask"
)

// hidden stands for user names and passwords within a URL. It needs no escaping there.
const hidden = "xxxxx"

// The shapes that package fmt prints: the same fields, without the methods, so that printing does not recurse.
type (
	printedAutoConfigConfig AutoConfigConfig
	printedProxyConfig      ProxyConfig
	printedCacheConfig      CacheConfig
)

// Format prints the configuration with its secrets masked with every verb.
func (c AutoConfigConfig) Format(f fmt.State, verb rune) {
	c.StreamURI = maskedURI(c.StreamURI)
	printMasked(f, verb, printedAutoConfigConfig(c))
}

// LogValue logs the configuration with its secrets masked. Package slog would otherwise write structs as JSON, and
// JSON holds the raw keys.
func (c AutoConfigConfig) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("key", c.Key),
		slog.String("streamURI", maskedURI(c.StreamURI)),
		slog.String("envDatastorePrefix", c.EnvDatastorePrefix),
		slog.String("envDatastoreTableName", c.EnvDatastoreTableName),
		slog.Any("envAllowedOrigin", c.EnvAllowedOrigin),
		slog.Any("envAllowedHeader", c.EnvAllowedHeader),
		slog.Duration("initTimeout", c.InitTimeout),
	)
}

// Format prints the configuration with its secrets masked with every verb.
func (c ProxyConfig) Format(f fmt.State, verb rune) {
	c.URL = maskedURL(c.URL)
	c.Password = maskedPassword(c.Password)
	printMasked(f, verb, printedProxyConfig(c))
}

// LogValue logs the configuration with its secrets masked.
func (c ProxyConfig) LogValue() slog.Value {
	u := ""
	if c.URL != nil {
		u = maskedURL(c.URL).String()
	}
	return slog.GroupValue(
		slog.String("url", u),
		slog.Bool("ntlmAuth", c.NTLMAuth),
		slog.String("user", c.User),
		slog.String("password", maskedPassword(c.Password)),
		slog.String("domain", c.Domain),
		slog.Any("caCertFiles", c.CACertFiles),
	)
}

// Format prints the configuration with its secrets masked with every verb.
func (c CacheConfig) Format(f fmt.State, verb rune) {
	c.RedisURL = maskedPassword(c.RedisURL)
	printMasked(f, verb, printedCacheConfig(c))
}

// LogValue logs the configuration with its secrets masked.
func (c CacheConfig) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("file", c.File),
		slog.String("redisURL", maskedPassword(c.RedisURL)), // a password may be in any part of it
	)
}

// LogValue logs the configuration with its secrets masked.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("autoConfig", c.AutoConfig),
		slog.Any("proxy", c.Proxy),
		slog.Any("cache", c.Cache),
		slog.String("logLevel", c.LogLevel.Name()),
	)
}

// LogValue logs the configuration with its keys masked.
func (c EnvConfig) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("sdkKey", c.SDKKey),
		slog.Any("mobileKey", c.MobileKey),
		slog.String("envID", string(c.EnvID)),
		slog.String("filterKey", string(c.FilterKey)),
		slog.String("prefix", c.Prefix),
		slog.String("tableName", c.TableName),
		slog.Any("allowedOrigin", c.AllowedOrigin),
		slog.Any("allowedHeader", c.AllowedHeader),
		slog.Bool("secureMode", c.SecureMode),
		slog.Duration("ttl", c.TTL),
	)
}

// printMasked prints one of the shapes above under the name of the type that it stands for.
func printMasked(f fmt.State, verb rune, shape any) {
	text := fmt.Sprintf(fmt.FormatString(f, verb), shape)
	if verb == 'v' && f.Flag('#') {
		text = strings.Replace(text, "config.printed", "config.", 1)
	}
	_, _ = f.Write([]byte(text))
}

func maskedPassword(password string) string {
	if password == "" {
		return ""
	}
	return mask.Ellipsis
}

// maskedURL returns u without its user name and password. An opaque URL, such as "user:password", is hidden whole:
// where its secrets are can't be told.
func maskedURL(u *url.URL) *url.URL {
	if u == nil || (u.User == nil && u.Opaque == "") {
		return u
	}
	masked := *u
	if u.User != nil {
		masked.User = url.User(hidden)
	}
	if u.Opaque != "" {
		masked.Opaque = hidden
	}
	return &masked
}

// maskedURI is maskedURL for text that need not be a good URL.
func maskedURI(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err == nil && (u.User != nil || u.Opaque != ""):
		return maskedURL(u).String()
	case err != nil && strings.Contains(uri, "@"):
		return hidden
	default:
		return uri
	}
}
