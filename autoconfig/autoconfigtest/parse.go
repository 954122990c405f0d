package autoconfigtest

import (
	"bytes"
	"fmt"
	"io"
)

// byteOrderMark may start a file.
var byteOrderMark = []byte("\ufeff")

// ParseRecording reads a recording. See Recording for the format. An error names the line.
func ParseRecording(r io.Reader) (*Recording, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("the recording can't be read: %w", err)
	}
	for bytes.HasPrefix(text, byteOrderMark) {
		text = text[len(byteOrderMark):]
	}
	recording := &Recording{}
	recordedLine := 0
	for number := 1; len(text) > 0; number++ {
		var line []byte
		line, text = cutLine(text)
		if after, escaped := bytes.CutPrefix(line, []byte(escapedPrefix)); escaped {
			line = append([]byte(directivePrefix), after...)
		} else if directive, found := bytes.CutPrefix(line, []byte(directivePrefix)); found {
			it, recorded, err := parseDirective(string(withoutEnd(directive)))
			if err != nil {
				return nil, fmt.Errorf("line %d of the recording: %w", number, err)
			}
			if it.kind == recordedItem {
				if recordedLine != 0 {
					return nil, fmt.Errorf("line %d of the recording: it says when it was recorded already in line %d",
						number, recordedLine)
				}
				recordedLine, recording.Recorded = number, recorded
			}
			recording.items = append(recording.items, it)
			continue
		}
		recording.items = append(recording.items, item{kind: lineItem, line: line})
	}
	return recording, nil
}

// cutLine splits text after its first line end: LF, CR or CRLF. Without one all of it is the line.
func cutLine(text []byte) (line, rest []byte) {
	end := bytes.IndexAny(text, "\r\n")
	if end < 0 {
		return text, nil
	}
	if bytes.HasPrefix(text[end:], []byte("\r\n")) {
		end++
	}
	return text[: end+1 : end+1], text[end+1:]
}

// withoutEnd returns the line without its line end.
func withoutEnd(line []byte) []byte {
	return bytes.TrimRight(line, "\r\n")
}
