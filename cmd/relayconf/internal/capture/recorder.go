package capture

import (
	"fmt"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fakes"
	"github.com/relayconf/relayconf/internal/sse"
)

// recorder writes the received stream, with pauses, and with fakes for keys.
type recorder struct {
	writer *autoconfigtest.RecordingWriter
	fakes  *fakes.Fakes // nil keeps the keys
	warn   func(format string, args ...any)
	first  func() // called at the first event, if not nil
	counts *Counts
	last   time.Time // when the last item came, or the connection was open
}

// writeError means that the recording can't go on.
type writeError struct{ err error }

func (e *writeError) Error() string { return "could not write the recording: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

func written(err error) error {
	if err == nil {
		return nil
	}
	return &writeError{err}
}

func (r *recorder) begun(now time.Time) error { return written(r.writer.Recorded(now)) }

// opened notes that a connection is open. Pauses count from here, as they do when the recording is played: how long
// it takes to connect is up to the client then.
func (r *recorder) opened(now time.Time) {
	r.counts.Connections++
	r.last = now
}

// dropped notes that the connection was lost, after how long a silence.
func (r *recorder) dropped(now time.Time) error { return r.write(now, r.writer.Drop) }

func (r *recorder) refused(status int) error { return written(r.writer.Status(status)) }

// item writes one item. One that would show a key is changed, or left out with a warning.
func (r *recorder) item(item sse.Item, now time.Time) error {
	switch item.Kind {
	case sse.Event:
		return r.event(item.Name, item.Data, now)
	case sse.Comment:
		return r.comment(string(item.Data), now)
	default:
		return r.write(now, func() error {
			return r.writer.Raw(fmt.Appendf(nil, "retry: %d\n", item.Retry.Milliseconds()))
		})
	}
}

func (r *recorder) event(name string, data []byte, now time.Time) error {
	if r.first != nil {
		r.first()
		r.first = nil
	}
	if r.fakes != nil {
		var ok bool
		if data, ok = r.withFakes(name, data); !ok {
			return nil
		}
	}
	r.counts.Events++
	return r.write(now, func() error { return r.writer.Event(name, data) })
}

func (r *recorder) withFakes(name string, data []byte) (faked []byte, ok bool) {
	if r.fakes.In(name) {
		r.warn("Recording: left out an event whose name may hold a key")
		return nil, false
	}
	faked, err := r.fakes.JSON(data)
	if err == nil {
		return faked, true
	}
	if name == autoconfig.ReconnectEvent {
		return []byte(`" "`), true // its data means nothing
	}
	r.warn("Recording: left out an event %q, as %s and keys in it can't be found; --keep-keys would keep it", name, err)
	return nil, false
}

func (r *recorder) comment(text string, now time.Time) error {
	if r.fakes != nil && r.fakes.In(text) {
		r.warn("Recording: left out the text of a comment, as it may hold a key")
		text = ""
	}
	r.counts.Comments++
	return r.write(now, func() error { return r.writer.Comment(text) })
}

func (r *recorder) write(now time.Time, write func() error) error {
	if err := r.writer.Pause(now.Sub(r.last)); err != nil {
		return written(err)
	}
	r.last = now
	return written(write())
}
