package wire

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/jsonscan"
)

// The steps of a PutDecoder. Each sets d.next to the step that follows it.

// errKind means that a value is not the object that it should be.
var errKind = errors.New("a value that is not an object where there must be one")

// begin scans the beginning of the outermost object. Null is an empty object, as for encoding/json.
func (d *PutDecoder) begin(text []byte, at int) (int, error) {
	return d.open(text, jsonscan.Space(text, at), topLevel, func() {})
}

// end scans white space after the outermost object.
func (d *PutDecoder) end(text []byte, at int) (int, error) {
	end := jsonscan.Space(text, at)
	switch {
	case end < len(text):
		return at, jsonscan.ErrSyntax
	case end == at:
		return at, jsonscan.ErrIncomplete // nothing more has come yet
	}
	return end, nil
}

// open steps into the object that begins here. If there is null instead, isNull is called.
func (d *PutDecoder) open(text []byte, at int, level collection, isNull func()) (int, error) {
	if at == len(text) {
		return at, jsonscan.ErrIncomplete
	}
	switch text[at] {
	case '{':
		d.within = append(d.within, level)
		d.next = (*PutDecoder).first
		return at + 1, nil
	case 'n':
		end, err := jsonscan.Literal(text, at, "null")
		if err == nil {
			isNull()
			d.valueEnds()
		}
		return end, err
	}
	return at, errKind
}

// valueEnds sets the step that follows a value: a comma or the end of the object, or the end of the text.
func (d *PutDecoder) valueEnds() {
	d.next = (*PutDecoder).comma
	if len(d.within) == 0 {
		d.next, d.ended = (*PutDecoder).end, true
	}
}

// first scans the first member of an object, or its end.
func (d *PutDecoder) first(text []byte, at int) (int, error) {
	at = jsonscan.Space(text, at)
	if at < len(text) && text[at] == '}' {
		return d.close(at), nil
	}
	return d.member(text, at)
}

// comma scans a comma and another member of the object, or its end.
func (d *PutDecoder) comma(text []byte, at int) (int, error) {
	at = jsonscan.Space(text, at)
	switch {
	case at == len(text):
		return at, jsonscan.ErrIncomplete
	case text[at] == ',':
		return d.member(text, jsonscan.Space(text, at+1))
	case text[at] == '}':
		return d.close(at), nil
	}
	return at, jsonscan.ErrSyntax
}

func (d *PutDecoder) close(at int) int {
	d.within = d.within[:len(d.within)-1]
	d.valueEnds()
	return at + 1
}

// member scans a name and its value, or as much of the value as is a step.
func (d *PutDecoder) member(text []byte, at int) (int, error) {
	nameEnd, plain, err := jsonscan.String(text, at)
	if err != nil {
		return at, err
	}
	value, err := jsonscan.Colon(text, nameEnd)
	if err != nil {
		return at, err
	}
	name := text[at+1 : nameEnd-1]
	if !plain {
		var unquoted string
		if err := json.Unmarshal(text[at:nameEnd], &unquoted); err != nil {
			return at, err
		}
		name = []byte(unquoted)
	}
	switch d.within[len(d.within)-1] {
	case environmentLevel:
		return d.environment(text, name, value)
	case filterLevel:
		return d.filter(text, name, value)
	case dataLevel:
		switch {
		case isNamed(name, "environments"):
			return d.open(text, value, environmentLevel, func() { d.put.Environments = Entries{} })
		case isNamed(name, "filters"):
			return d.open(text, value, filterLevel, func() { d.put.Filters = Entries{} })
		}
	case topLevel:
		switch {
		case isNamed(name, "data"):
			return d.open(text, value, dataLevel, func() {})
		case isNamed(name, "path"):
			end, err := d.value(text, value)
			if err == nil {
				err = json.Unmarshal(text[value:end], &d.path)
			}
			return end, err
		}
	}
	return d.value(text, value)
}

// isNamed compares as encoding/json does.
func isNamed(name []byte, want string) bool {
	return string(name) == want || strings.EqualFold(string(name), want)
}

// value scans a value of any kind.
func (d *PutDecoder) value(text []byte, at int) (int, error) {
	end, err := jsonscan.Value(text, at, len(d.within))
	if err == nil {
		d.valueEnds()
	}
	return end, err
}

// environment scans an environment, unless it has the same text as before.
func (d *PutDecoder) environment(text, name []byte, at int) (int, error) {
	place, known := d.lookUp(name)
	if known != "" && len(text)-at >= len(known) && string(text[at:at+len(known)]) == known {
		// The known text is a whole JSON object, so the same bytes are the same object.
		d.listRun(place)
		d.valueEnds()
		return at + len(known), nil
	}
	var entry Entry
	end, err := entry.decode(text, at, len(d.within), name)
	if err != nil {
		return end, err
	}
	if place >= 0 {
		d.place = place
	}
	d.list(entry)
	d.valueEnds()
	return end, nil
}

// lookUp returns the place of an environment and its text. Puts tend to list environments in the same order: where that
// is so, the next one is at the next place, and is found without a look into a map.
func (d *PutDecoder) lookUp(id []byte) (place int, text string) {
	if next, text := d.known.At(d.place + 1); next == string(id) {
		return d.place + 1, text
	}
	if place = d.known.Place(id); place >= 0 {
		_, text = d.known.At(place)
	}
	return place, text
}

// listRun lists an unchanged environment: as the next of the run under way, or as the first of another.
func (d *PutDecoder) listRun(place int) {
	d.place = place
	if last := d.put.Environments.Last(); last != nil && last.Run.To > last.Run.From && int(last.Run.To) == place {
		last.Run.To++
		return
	}
	d.list(Entry{Run: Run{uint32(place), uint32(place) + 1}})
}

// list adds an entry. The digests of a large chunk that is full are computed on another core meanwhile: otherwise a first
// put took 1.14 times as long.
func (d *PutDecoder) list(entry Entry) {
	if full := d.put.Environments.Add(entry); len(full) == mostInAChunk {
		d.digests.Go(func() { computeDigests(full) })
	}
}

func computeDigests(chunk []Entry) {
	for i := range chunk {
		if entry := &chunk[i]; entry.Run == (Run{}) {
			entry.Digest = digest.Of(digest.Environment, entry.ID, entry.Version)
		}
	}
}

func (d *PutDecoder) filter(text, name []byte, at int) (int, error) {
	end, err := d.value(text, at)
	if err != nil {
		return end, err
	}
	item, err := filterItem(text[at:end], string(name))
	if err != nil {
		return end, err
	}
	d.put.Filters.Add(Entry{Item: item})
	return end, nil
}
