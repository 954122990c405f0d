module github.com/relayconf/relayconf

go 1.26

require (
	github.com/launchdarkly/eventsource v1.11.0
	github.com/launchdarkly/go-ntlm-proxy-auth v1.0.3
	github.com/launchdarkly/go-sdk-common/v3 v3.4.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
)

require (
	github.com/launchdarkly/go-ntlmssp v1.0.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.45.0 // indirect
)
