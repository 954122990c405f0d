package mask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// plain are the members whose strings hold no secret. Strings of all others are masked, so that a member that the
// service adds one day is hidden until somebody says that it may be seen.
var plain = map[string]bool{
	"path": true, "envID": true, "envKey": true, "envName": true, "projKey": true, "projName": true, "key": true,
}

// mostDumped is the size of the largest text that JSON shows.
const mostDumped = 16 << 10

// JSON shows a JSON text for debugging, on one line, with every string in it masked but those known to be harmless. It
// goes by the structure of the text, so that no way of writing it gets a secret through. A text that is not JSON or is
// very long is only described.
func JSON(text []byte) string {
	if len(text) > mostDumped {
		return fmt.Sprintf("(%d bytes)", len(text))
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil || dec.More() {
		return fmt.Sprintf("(%d bytes that are not JSON)", len(text))
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(masked("", value)); err != nil {
		return fmt.Sprintf("(%d bytes)", len(text))
	}
	return Visible(strings.TrimSuffix(out.String(), "\n"))
}

func masked(name string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		for member, v := range value {
			value[member] = masked(member, v)
		}
	case []any:
		for i, v := range value {
			value[i] = masked(name, v)
		}
	case string:
		if plain[name] {
			return Shorten(value)
		}
		return Key(value)
	}
	return value
}
