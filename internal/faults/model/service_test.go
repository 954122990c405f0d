package model

import (
	"io"
	"net/http"

	"github.com/relayconf/relayconf/internal/memnet"
)

// refuse answers a request in a way that is no stream.
func refuse(e *memnet.Exchange, a answer) {
	switch a.status {
	case 0:
		e.Refuse()
	case http.StatusOK:
		e.Answer(a.status)
	default:
		e.Answer(a.status, "Content-Type", "text/event-stream") // the status alone makes it a failure
	}
}

// send is over when the manager has read it all, or has left.
func send(e *memnet.Exchange, text string) { _, _ = io.WriteString(e, text) }
