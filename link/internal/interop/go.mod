module github.com/relayconf/relayconf/link/internal/interop

go 1.26.0
