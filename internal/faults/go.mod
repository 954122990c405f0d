module github.com/relayconf/relayconf/internal/faults

go 1.26

require (
	github.com/launchdarkly/go-sdk-common/v3 v3.4.0
	github.com/relayconf/relayconf v0.0.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/launchdarkly/go-ntlm-proxy-auth v1.0.3 // indirect
	github.com/launchdarkly/go-ntlmssp v1.0.3 // indirect
	golang.org/x/crypto v0.45.0 // indirect
)
