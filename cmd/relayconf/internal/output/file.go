package output

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
)

// The first two fields of the file are its format and version. A version is a promise: fields may be added under it; anything else
// raises it.
const (
	Format  = "relayconf-environments"
	Version = 1
)

// File is the content of the file.
type File struct {
	Format       string                `json:"format"`
	Version      int                   `json:"version"`
	WrittenAt    envjson.Time          `json:"writtenAt"`
	Environments []envjson.Environment `json:"environments"` // sorted by id; keys are whole
	Filters      []envjson.Filter      `json:"filters"`      // sorted by id
}

// Encode writes the JSON form of a File. It holds one environment at a time: there may be a hundred thousand.
func Encode(out io.Writer, snapshot change.Snapshot, now time.Time) error {
	e := encoder{out: out}
	e.json = json.NewEncoder(&e.value)
	e.json.SetEscapeHTML(false)
	e.text("{\n  \"format\": ")
	e.encode(Format)
	e.text(",\n  \"version\": ")
	e.encode(Version)
	e.text(",\n  \"writtenAt\": ")
	e.encode(envjson.Time(now))
	e.text(",\n  \"environments\": ")
	e.list(len(snapshot.Environments), func(i int) any {
		return envjson.FromEnvironment(*snapshot.Environments[i], envjson.Whole)
	})
	e.text(",\n  \"filters\": ")
	e.list(len(snapshot.Filters), func(i int) any { return envjson.FromFilter(snapshot.Filters[i]) })
	e.text("\n}\n")
	return e.err
}

// encoder writes JSON piece by piece, until the first error.
type encoder struct {
	out   io.Writer
	json  *json.Encoder
	value bytes.Buffer // the latest value of json
	err   error
}

func (e *encoder) list(n int, item func(i int) any) {
	e.json.SetIndent("    ", "  ")
	separator := "[\n    "
	for i := range n {
		e.text(separator)
		e.encode(item(i))
		separator = ",\n    "
	}
	if n == 0 {
		e.text("[]")
		return
	}
	e.text("\n  ]")
}

func (e *encoder) encode(value any) {
	e.value.Reset()
	if e.err == nil {
		e.err = e.json.Encode(value)
	}
	if e.err == nil {
		_, e.err = e.out.Write(terminal.EscapeJSON(bytes.TrimSuffix(e.value.Bytes(), []byte("\n"))))
	}
}

func (e *encoder) text(text string) {
	if e.err == nil {
		_, e.err = io.WriteString(e.out, text)
	}
}
