package autoconfigtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/launchdarkly/eventsource"
)

// RecordingWriter writes a recording, piece by piece, for ParseRecording to read. Each call writes with one Write, so
// that the output is a recording at any time. Not safe for concurrent use.
type RecordingWriter struct {
	w       io.Writer
	inLine  bool          // the last line, from Raw, has no end yet
	pending time.Duration // rounded off by Pause, and added to the next one
}

// NewRecordingWriter returns a writer of recordings to w.
func NewRecordingWriter(w io.Writer) *RecordingWriter { return &RecordingWriter{w: w} }

// Recorded writes when the recording began, to the nanosecond, in UTC. Call it once at most; a second such directive
// can't be parsed.
func (w *RecordingWriter) Recorded(t time.Time) error {
	if t = t.UTC(); t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return fmt.Errorf("the recorded time must be within the years 1 to 9999, UTC, and not %v", t)
	}
	return w.write(appendDirective(nil, item{kind: recordedItem}, t))
}

// Event writes an event. An empty name writes none. The data may have line feeds, which make several data lines of
// it; it can't have carriage returns, and the name neither.
func (w *RecordingWriter) Event(name string, data []byte) error {
	if strings.ContainsAny(name, "\r\n") {
		return fmt.Errorf("the name of an event can't have line breaks: %q", name)
	}
	if bytes.IndexByte(data, '\r') >= 0 {
		return errors.New("the data of an event can't have carriage returns: no event stream can carry them")
	}
	var text bytes.Buffer
	if err := eventsource.NewEncoder(&text, false).Encode(event{name: name, data: string(data)}); err != nil {
		return err
	}
	return w.write(text.Bytes())
}

// Comment writes a comment with this text, as a client gets it: without the space after the colon. The text can't have
// line breaks.
func (w *RecordingWriter) Comment(text string) error {
	if strings.ContainsAny(text, "\r\n") {
		return fmt.Errorf("a comment can't have line breaks: %q", text)
	}
	return w.write([]byte(":" + spaced(text) + "\n"))
}

// Raw writes lines as they are, for cases that the other methods have no form for: an event that was cut off, a retry
// field. Lines that would be directives are escaped. If the last line has no end, the next call of any method ends it
// with a line feed.
func (w *RecordingWriter) Raw(lines []byte) error {
	var text, line []byte
	for rest := lines; len(rest) > 0; {
		line, rest = cutLine(rest)
		text = appendLine(text, line)
	}
	if len(text) == 0 {
		return nil
	}
	err := w.write(text)
	w.inLine = len(withoutEnd(line)) == len(line)
	return err
}

// Pause writes a pause. It is rounded down to whole milliseconds; the remainder is added to the next pause, so
// that many short pauses are not lost. A d that is not positive is ignored.
func (w *RecordingWriter) Pause(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	w.pending += d
	pause := w.pending.Truncate(time.Millisecond)
	if pause == 0 {
		return nil
	}
	w.pending -= pause
	return w.write(appendDirective(nil, item{kind: pauseItem, pause: pause}, time.Time{}))
}

// Drop writes that the connection ended here.
func (w *RecordingWriter) Drop() error {
	return w.write(appendDirective(nil, item{kind: dropItem}, time.Time{}))
}

// Status writes that a request was answered with this HTTP status, 200 to 599, and no stream.
func (w *RecordingWriter) Status(code int) error {
	if !isFinalStatus(code) {
		return fmt.Errorf("the status of a response must be from 200 to 599, not %d", code)
	}
	return w.write(appendDirective(nil, item{kind: statusItem, status: code}, time.Time{}))
}

func (w *RecordingWriter) write(text []byte) error {
	if w.inLine {
		text = append([]byte("\n"), text...)
	}
	if _, err := w.w.Write(text); err != nil {
		return fmt.Errorf("the recording can't be written: %w", err)
	}
	w.inLine = false
	return nil
}
