module github.com/relayconf/relayconf/store/redisstore

go 1.26.0

require (
	github.com/launchdarkly/go-sdk-common/v3 v3.4.0
	github.com/redis/go-redis/v9 v9.23.0
	github.com/relayconf/relayconf v0.0.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/launchdarkly/eventsource v1.11.0 // indirect
	github.com/launchdarkly/go-ntlm-proxy-auth v1.0.3 // indirect
	github.com/launchdarkly/go-ntlmssp v1.0.3 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.45.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
)
