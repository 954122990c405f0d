package config

import (
	"slices"
	"strings"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// FromEnv reads the configuration from environment variables: AUTO_CONFIG_KEY, STREAM_URI, ENV_DATASTORE_PREFIX,
// ENV_DATASTORE_TABLE_NAME, ENV_ALLOWED_ORIGIN, ENV_ALLOWED_HEADER, INIT_TIMEOUT, PROXY_URL, PROXY_AUTH_NTLM,
// PROXY_AUTH_USER, PROXY_AUTH_PASSWORD, PROXY_AUTH_DOMAIN, PROXY_CA_CERTS, CACHE_FILE, CACHE_REDIS_URL and LOG_LEVEL.
// An empty variable counts as unset. None is required: a missing AUTO_CONFIG_KEY gives an empty key.
//
// lookup is os.LookupEnv, or something like it.
//
// The error holds a SettingError for each variable that is bad, joined, and no secrets. The Config is then the zero
// value.
func FromEnv(lookup func(string) (string, bool)) (Config, error) {
	env := &envReader{lookup: lookup}
	c := Config{
		AutoConfig: AutoConfigConfig{
			Key:                   read(env, "AUTO_CONFIG_KEY", "AutoConfigConfig.Key", "", parseKey),
			StreamURI:             read(env, "STREAM_URI", "AutoConfigConfig.StreamURI", DefaultStreamURI, parseStreamURI),
			EnvDatastorePrefix:    env.text("ENV_DATASTORE_PREFIX"),
			EnvDatastoreTableName: env.text("ENV_DATASTORE_TABLE_NAME"),
			EnvAllowedOrigin:      splitList(env.text("ENV_ALLOWED_ORIGIN")),
			EnvAllowedHeader:      splitList(env.text("ENV_ALLOWED_HEADER")),
			InitTimeout:           read(env, "INIT_TIMEOUT", "AutoConfigConfig.InitTimeout", 0, parseTimeout),
		},
		Proxy: ProxyConfig{
			URL:         read(env, "PROXY_URL", "ProxyConfig.URL", nil, parseURL),
			NTLMAuth:    read(env, "PROXY_AUTH_NTLM", "ProxyConfig.NTLMAuth", false, parseBool),
			User:        env.text("PROXY_AUTH_USER"),
			Password:    env.text("PROXY_AUTH_PASSWORD"),
			Domain:      env.text("PROXY_AUTH_DOMAIN"),
			CACertFiles: splitList(env.text("PROXY_CA_CERTS")),
		},
		Cache: CacheConfig{
			File:     env.text("CACHE_FILE"),
			RedisURL: strings.TrimSpace(env.text("CACHE_REDIS_URL")),
		},
		LogLevel: read(env, "LOG_LEVEL", "Config.LogLevel", ldlog.Info, parseLogLevel),
	}
	for _, problem := range c.Proxy.problems() {
		// A variable that could not be read seems to be missing: the first report of it is the true one.
		if !env.isBad(problem.Variable) {
			env.problems = append(env.problems, problem)
		}
	}
	if c.Cache.File != "" && c.Cache.RedisURL != "" {
		env.problems = append(env.problems, &SettingError{Variable: "CACHE_REDIS_URL", Field: "CacheConfig.RedisURL",
			Problem: "is set, and so is CACHE_FILE, but there is one cache only. Unset one of them"})
	}
	if len(env.problems) > 0 {
		return Config{}, joinSettingErrors(env.problems)
	}
	return c, nil
}

// envReader reads variables and collects their problems.
type envReader struct {
	lookup   func(string) (string, bool)
	problems []*SettingError
}

// text returns a variable as it is.
func (e *envReader) text(variable string) string {
	value, _ := e.lookup(variable)
	return value
}

func (e *envReader) isBad(variable string) bool {
	return slices.ContainsFunc(e.problems, func(p *SettingError) bool { return p.Variable == variable })
}

// read parses a variable, less the white space around it. The parser returns the problem with the value; empty
// if there is none.
func read[T any](e *envReader, variable, field string, unset T, parse func(string) (T, string)) T {
	value := strings.TrimSpace(e.text(variable))
	if value == "" {
		return unset
	}
	parsed, problem := parse(value)
	if problem != "" {
		e.problems = append(e.problems, &SettingError{Variable: variable, Field: field, Problem: problem})
		return unset
	}
	return parsed
}
