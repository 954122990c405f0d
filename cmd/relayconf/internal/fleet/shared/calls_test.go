//go:build servers

package shared

import "github.com/relayconf/relayconf/link/agent/agentpb"

var (
	reconnect   = &agentpb.ReconnectRequest{}
	reconnected = &agentpb.ReconnectResponse{}
)
