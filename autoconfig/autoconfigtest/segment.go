package autoconfigtest

import (
	"time"

	"github.com/relayconf/relayconf/autoconfig"
)

// segment is the part of a recording that one connection plays.
type segment struct {
	steps  []step
	status int // not 0: the request is answered with it, after the pauses, and there is no stream
	end    ending
}

// step is a pause, or bytes to send in one go: a whole event, a comment, or the bytes between two directives.
type step struct {
	pause time.Duration
	send  []byte
}

// ending says how the connection ends when its segment has been played.
type ending int

const (
	endOfRecording ending = iota // stays open
	endDrop                      // ends
	endReconnect                 // stays open until the client leaves, as it was asked to
	endCut                       // is cut off, within an event
)

// segments divides a recording into the parts that its connections play. Without lines there are none.
func segments(items []item) []segment {
	var all []segment
	var current segment
	var tracker lineTracker
	var pending []byte // not sent yet
	sends := false     // the current segment sends something
	flush := func() {
		if len(pending) > 0 {
			current.steps = append(current.steps, step{send: pending})
			pending = nil
		}
	}
	finish := func(end ending) {
		flush()
		current.end = end
		all = append(all, current)
		current, tracker, sends = segment{}, lineTracker{}, false
	}
	drop := func() {
		if tracker.inEvent {
			finish(endCut)
		} else {
			finish(endDrop)
		}
	}
	unended := false // the last line has no end
	for i, it := range items {
		switch it.kind {
		case lineItem:
			sends = true
			pending = append(pending, it.line...)
			unended = len(withoutEnd(it.line)) == len(it.line)
			kind := tracker.next(i, it.line)
			if kind == dispatchLine && tracker.name == autoconfig.ReconnectEvent && len(tracker.data) > 0 {
				finish(endReconnect)
			} else if !tracker.inEvent {
				flush()
			}
		case pauseItem:
			flush()
			current.steps = append(current.steps, step{pause: it.pause})
		case dropItem:
			drop()
		case statusItem:
			if sends {
				drop()
			}
			current.status = it.status
			finish(endDrop)
		}
	}
	flush()
	switch {
	case tracker.inEvent || unended && sends:
		finish(endCut)
	case len(current.steps) > 0:
		finish(endOfRecording)
	}
	return all
}
