module github.com/relayconf/relayconf/cmd/relayconf

go 1.26

require github.com/relayconf/relayconf v0.0.0
