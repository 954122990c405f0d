package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Where items are, in the paths of events.
const (
	EnvironmentPath = "/environments/"
	FilterPath      = "/filters/"
)

// AppendPutStart appends the beginning of a put's data, up to the first environment.
func AppendPutStart(buffer []byte) []byte {
	return append(buffer, `{"path":"/","data":{"environments":{`...)
}

// AppendPutItem appends one item of a put. The first parameter tells whether it is the first of its kind.
func AppendPutItem(buffer []byte, first bool, id string, text []byte) []byte {
	if !first {
		buffer = append(buffer, ',')
	}
	buffer = append(appendString(buffer, id), ':')
	return append(buffer, text...)
}

// AppendPutFilters ends a put's environments and begins its filters, which follow as further items.
func AppendPutFilters(buffer []byte) []byte { return append(buffer, `},"filters":{`...) }

// AppendPutEnd appends the end of a put's data, after the last item.
func AppendPutEnd(buffer []byte) []byte { return append(buffer, `}}}`...) }

// AppendPatch appends a patch's data. The path is one of the constants above, followed by the id.
func AppendPatch(buffer []byte, path, id string, text []byte) []byte {
	buffer = append(appendString(append(buffer, `{"path":`...), path+id), `,"data":`...)
	return append(append(buffer, text...), '}')
}

// AppendDelete appends a delete's data. The path is one of the constants above, followed by the id.
func AppendDelete(buffer []byte, path, id string, version int) []byte {
	buffer = append(appendString(append(buffer, `{"path":`...), path+id), `,"version":`...)
	return append(strconv.AppendInt(buffer, int64(version), 10), '}')
}

// OneLine returns JSON text without line breaks, since each line of an event's data costs a field of its own. Valid
// JSON has them only between its tokens, where a space means the same. Text without line breaks is returned as it is.
func OneLine(text []byte) []byte {
	if !bytes.ContainsAny(text, "\r\n") {
		return text
	}
	line := bytes.Clone(text)
	for i, c := range line {
		if c == '\r' || c == '\n' {
			line[i] = ' '
		}
	}
	return line
}

// appendString appends a JSON string. Ids have no character that needs escaping, as a rule.
func appendString(buffer []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			quoted, _ := json.Marshal(s) // a string always has a JSON form
			return append(buffer, quoted...)
		}
	}
	return append(append(append(buffer, '"'), s...), '"')
}
