package config

import (
	"net/url"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// AutoConfigEnvironmentIDPlaceholder stands for the environment id in AutoConfigConfig.EnvDatastorePrefix and
// AutoConfigConfig.EnvDatastoreTableName; for an environment with a payload filter, for the id, a dot and the filter's key.
const AutoConfigEnvironmentIDPlaceholder = "$CID"

// DefaultStreamURI is the public service.
const DefaultStreamURI = "https://stream.launchdarkly.com"

// Config is everything that relayconf reads from the environment. See FromEnv.
type Config struct {
	AutoConfig AutoConfigConfig
	Proxy      ProxyConfig
	Cache      CacheConfig
	LogLevel   ldlog.LogLevel // the least level that is logged; default ldlog.Info
}

// AutoConfigConfig says how to follow the auto-configuration stream, and what every environment that it brings has
// in common.
type AutoConfigConfig struct {
	Key                   AutoConfigKey
	StreamURI             string        // default DefaultStreamURI
	EnvDatastorePrefix    string        // database key prefix; may hold AutoConfigEnvironmentIDPlaceholder
	EnvDatastoreTableName string        // DynamoDB table; may hold AutoConfigEnvironmentIDPlaceholder
	EnvAllowedOrigin      []string      // CORS origins that may use the client-side endpoints
	EnvAllowedHeader      []string      // CORS headers that are allowed besides the standard ones
	InitTimeout           time.Duration // longest wait for the first full configuration; 0, the default, is no limit
}

// ProxyConfig says how to reach the service through a proxy, and which certificate authorities to trust. It prints
// with its password, and the user name and password in its URL, masked.
type ProxyConfig struct {
	URL         *url.URL // http, https, socks5 or socks5h; nil: HTTPS_PROXY, HTTP_PROXY and NO_PROXY apply
	NTLMAuth    bool     // use NTLM rather than basic authentication; needs URL (http, https), User and Password
	User        string
	Password    string
	Domain      string   // NTLM only
	CACertFiles []string // PEM files, trusted in addition to the system's authorities
}

// CacheConfig says where the last known configuration is kept, so that a relay can start while the service is down. At
// most one of the two is set. It prints with the Redis URL hidden.
type CacheConfig struct {
	File     string // path of a file
	RedisURL string // as for redisstore.NewFromURL; may hold a password
}

// EnvConfig is what a relay needs to run one environment.
type EnvConfig struct {
	SDKKey        SDKKey
	MobileKey     MobileKey // empty if the environment has none
	EnvID         EnvironmentID
	FilterKey     FilterKey     // payload filter of the environment; empty if it is served whole
	Prefix        string        // database key prefix
	TableName     string        // DynamoDB table
	AllowedOrigin []string      // CORS
	AllowedHeader []string      // CORS
	SecureMode    bool          // client-side requests must carry a hash of the user
	TTL           time.Duration // how long client-side responses may be cached; 0 is not at all
}
