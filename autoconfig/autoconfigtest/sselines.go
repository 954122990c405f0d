package autoconfigtest

import "bytes"

// lineKind is the meaning of a line to a client.
type lineKind int

const (
	fieldLine    lineKind = iota // part of an event
	commentLine                  // may be within an event too
	dispatchLine                 // the blank line that ends an event
	blankLine                    // any other blank line
)

// lineTracker follows the lines of one connection as a client would, to know where events begin and end.
type lineTracker struct {
	begun   bool      // a line has come, so that no byte order mark is expected any more
	afterCR bool      // the line before ended with a CR: a lone LF after it makes that a CRLF
	inEvent bool      // there was a field since the last blank line
	name    string    // of the event
	data    []dataRef // of the event
}

// dataRef says where a line of data is.
type dataRef struct {
	item       int // index of the line, as given to next
	start, end int // the value within the line
}

// next takes the next line. After a dispatchLine, name and data are those of the event, until the next call.
func (t *lineTracker) next(index int, line []byte) lineKind {
	if afterCR := t.afterCR; afterCR && string(line) == "\n" {
		t.afterCR = false
		return commentLine
	}
	t.afterCR = bytes.HasSuffix(line, []byte("\r"))
	text := withoutEnd(line)
	start := 0
	if !t.begun {
		start = len(text) - len(bytes.TrimPrefix(text, byteOrderMark))
	}
	t.begun = true
	text = text[start:]

	if !t.inEvent {
		t.name, t.data = "", nil
	}
	switch {
	case len(text) == 0 && t.inEvent:
		t.inEvent = false
		return dispatchLine
	case len(text) == 0:
		return blankLine
	case text[0] == ':':
		return commentLine
	}
	t.inEvent = true
	field, value, found := bytes.Cut(text, []byte(":"))
	valueStart := start + len(field)
	if found {
		valueStart++
	}
	if trimmed, hadSpace := bytes.CutPrefix(value, []byte(" ")); hadSpace {
		value = trimmed
		valueStart++
	}
	switch string(field) {
	case "event":
		t.name = string(value)
	case "data":
		t.data = append(t.data, dataRef{item: index, start: valueStart, end: valueStart + len(value)})
	}
	return fieldLine
}
