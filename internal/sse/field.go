package sse

import (
	"bytes"
	"math"
	"time"
)

// field is the kind of a line. Lines that mean nothing to this package are unknownField, ids too: a stream is resumed from
// the digest of the known configuration, not from an id that was received.
type field int

const (
	unknownField field = iota
	commentLine
	eventField
	dataField
	retryField
)

// fieldNameMax is the longest part of a line that comes before the value of a known field.
const fieldNameMax = len("retry: ")

// parseField takes a line apart. A line without a colon is a field with an empty value; of the value, one leading space
// is dropped. The line must not be empty. The value is a part of the line.
func parseField(line []byte) (field, []byte) {
	name, value := line, line[len(line):]
	if i := bytes.IndexByte(line, ':'); i >= 0 {
		name, value = line[:i], line[i+1:]
	}
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "":
		return commentLine, value
	case "data":
		return dataField, value
	case "event":
		return eventField, value
	case "retry":
		return retryField, value
	}
	return unknownField, value
}

// parseRetry reads a number of milliseconds, which consists of ASCII digits only. A number that is too large for a
// Duration becomes the largest.
func parseRetry(value []byte) (d time.Duration, ok bool) {
	const maxMillis = math.MaxInt64 / int64(time.Millisecond)
	if len(value) == 0 {
		return 0, false
	}
	var millis int64
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		if millis <= maxMillis {
			millis = millis*10 + int64(c-'0')
		}
	}
	if millis > maxMillis {
		return math.MaxInt64, true
	}
	return time.Duration(millis) * time.Millisecond, true
}
