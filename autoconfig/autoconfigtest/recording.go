package autoconfigtest

import (
	"io"
	"time"
)

// Recording is a stream that was saved, by `curl -N` or a RecordingWriter. It is the text of the stream, in
// which comment lines that start with ":!" are directives. They are obeyed and not sent:
//
//	:!recorded 2026-11-20T12:00:00Z   when the recording began (RFC 3339); once at most
//	:!pause 1.5s                      wait (time.ParseDuration); also within an event
//	:!drop                            end the connection; the next one goes on from here
//	:!status 503                      answer the next request with this status, 200 to 599; end the connection before
//	:!!text                           no directive but a comment that starts with "!": ":!text" is sent
//
// All other lines are sent byte for byte, with their line ends as they are. Only a byte order mark at the start of the
// file is left out.
//
// The zero value is a stream on which nothing comes.
type Recording struct {
	// Recorded is when the recording began, from its directive. Zero if it does not say; set it to be able to shift
	// the times of such a recording.
	Recorded time.Time

	items []item
}

// item is a line or a directive.
type item struct {
	kind   itemKind
	line   []byte // of a line: the bytes to send, its line end included; only the last line may lack one
	pause  time.Duration
	status int
}

type itemKind int

const (
	lineItem itemKind = iota
	recordedItem
	pauseItem
	dropItem
	statusItem
)

// WriteTo writes the recording as text that ParseRecording reads back equal.
func (r *Recording) WriteTo(w io.Writer) (int64, error) {
	var text []byte
	placed := false
	for _, it := range r.items {
		placed = placed || it.kind == recordedItem
	}
	if !placed && !r.Recorded.IsZero() {
		text = appendDirective(text, item{kind: recordedItem}, r.Recorded)
	}
	for _, it := range r.items {
		if it.kind == lineItem {
			text = appendLine(text, it.line)
		} else {
			text = appendDirective(text, it, r.Recorded)
		}
	}
	n, err := w.Write(text)
	return int64(n), err
}
