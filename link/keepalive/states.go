package keepalive

import (
	"fmt"
	"time"
)

// State is a state of the protocol.
type State uint8

// The states. A connection begins in StateClient.
const (
	StateClient State = 1 // the client has agency
	StateServer State = 2 // the server has agency
	StateDone   State = 3 // the end
)

func (s State) String() string {
	switch s {
	case StateClient:
		return "Client"
	case StateServer:
		return "Server"
	case StateDone:
		return "Done"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Agency is the side that may send.
type Agency uint8

// The sides.
const (
	AgencyNone Agency = iota
	AgencyClient
	AgencyServer
)

// StateMapEntry has the rules of the protocol for a state.
type StateMapEntry struct {
	Agency      Agency          // who may send
	Timeout     time.Duration   // how long the other side waits; 0: nobody waits
	Transitions map[uint8]State // for each type of message that may be sent, the state that it leads to
}

// StateMap is the protocol's table of states. It must not be changed.
var StateMap = map[State]StateMapEntry{
	StateClient: {
		Agency:  AgencyClient,
		Timeout: ClientTimeout,
		Transitions: map[uint8]State{
			MessageTypeKeepAlive: StateServer,
			MessageTypeDone:      StateDone,
		},
	},
	StateServer: {
		Agency:  AgencyServer,
		Timeout: ServerTimeout,
		Transitions: map[uint8]State{
			MessageTypeKeepAliveResponse: StateClient,
		},
	},
	StateDone: {Agency: AgencyNone},
}
