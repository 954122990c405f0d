package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/keysource"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/store"
	"github.com/relayconf/relayconf/store/filestore"
	"github.com/relayconf/relayconf/store/redisstore"
)

// cache keeps the last known configuration: one of the stores.
type cache interface {
	autoconfig.KeyedStore
	fmt.Stringer
	Close() error
}

// fileCache is open only while it reads or writes.
type fileCache struct{ *filestore.Store }

func (fileCache) Close() error { return nil }

// cacheOptions are the flags that say where the cache is and which former keys open it.
type cacheOptions struct {
	config.CacheConfig
	olderKeyFile string
}

func addCacheFlags(cmd *cobra.Command, o *cacheOptions) {
	flags := cmd.Flags()
	flags.StringVar(&o.File, "cache-file", "",
		"encrypted `file` that keeps the last known configuration (default CACHE_FILE)")
	flags.StringVar(&o.RedisURL, "cache-redis", "",
		"`URL` of a Redis server that keeps it for a fleet; one with a password belongs in CACHE_REDIS_URL")
	flags.StringVar(&o.olderKeyFile, "cache-older-key-file", "",
		"`file` of former auto-configuration keys, one a line, that the cache may still be encrypted with")
	markExclusive(cmd, "cache-file", "cache-redis")
	_ = cmd.MarkFlagFilename("cache-file")
	_ = cmd.MarkFlagFilename("cache-older-key-file")
}

// orElse fills in the cache of the variables, unless a flag names one.
func (o cacheOptions) orElse(variables config.CacheConfig) cacheOptions {
	if o.File == "" && o.RedisURL == "" {
		o.CacheConfig = variables
	}
	return o
}

// openCache returns the cache, or nil if none is wanted. It touches nothing yet.
func openCache(o cacheOptions, key config.AutoConfigKey, loggers ldlog.Loggers) (cache, error) {
	var older []config.AutoConfigKey
	if o.olderKeyFile != "" {
		var err error
		if older, err = keysource.ReadAll(o.olderKeyFile); err != nil {
			return nil, withCode(exitUsage, err)
		}
	}
	switch {
	case o.RedisURL != "":
		redis.SetLogger(redisLog{loggers})
		kept, err := redisstore.NewFromURL(o.RedisURL, redisstore.Options{Key: key, OlderKeys: older, Report: cacheReport(loggers)})
		if err != nil {
			return nil, withCode(exitUsage, err)
		}
		return kept, nil
	case o.File != "":
		kept, err := filestore.New(o.File, filestore.Options{Key: key, OlderKeys: older, Report: cacheReport(loggers)})
		if err != nil {
			return nil, withCode(exitUsage, err)
		}
		return fileCache{kept}, nil
	case o.olderKeyFile != "":
		return nil, usageError("--cache-older-key-file is of no use without a cache: %w", errNoCache)
	}
	return nil, nil
}

var errNoCache = errors.New("name one with --cache-file or --cache-redis, or set CACHE_FILE or CACHE_REDIS_URL")

// cacheReport logs the notice of a save that succeeded.
func cacheReport(loggers ldlog.Loggers) func(error) {
	return func(err error) {
		if errors.Is(err, store.ErrOlder) {
			loggers.Infof("Cache: %s", err)
			return
		}
		loggers.Warnf("Cache: %s", err)
	}
}

// redisLog takes the log of the Redis client about its connections, besides the errors that it returns.
type redisLog struct{ loggers ldlog.Loggers }

func (l redisLog) Printf(_ context.Context, format string, args ...any) {
	l.loggers.Debugf("Redis client: %s", fmt.Sprintf(format, args...))
}
