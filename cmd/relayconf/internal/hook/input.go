package hook

import (
	"bytes"
	"io"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
)

// input is the standard input of a run. Keys in it are whole.
func (r *Runner) input(changes []*change.Change) io.Reader {
	if r.options.Settle > 0 {
		return &list{rest: changes}
	}
	return bytes.NewReader(change.JSON(*changes[0], envjson.Whole))
}

// list reads as a JSON list with a change on each line. It encodes one at a time, since there may be as many as there are
// environments.
type list struct {
	rest []*change.Change
	read int          // changes
	next bytes.Buffer // encoded, and not read yet
	done bool
}

// Read is for exec.Cmd.
func (l *list) Read(p []byte) (int, error) {
	for l.next.Len() == 0 && !l.done {
		l.encode()
	}
	return l.next.Read(p) // io.EOF at the end
}

func (l *list) encode() {
	if len(l.rest) == 0 {
		l.done = true
		l.next.WriteString("\n]\n")
		return
	}
	separator := ",\n"
	if l.read == 0 {
		separator = "[\n"
	}
	l.next.WriteString(separator)
	l.next.Write(bytes.TrimSuffix(change.JSON(*l.rest[0], envjson.Whole), []byte("\n")))
	l.rest[0] = nil // it is not needed any more
	l.rest = l.rest[1:]
	l.read++
}
