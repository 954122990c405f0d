package autoconfig

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/jsonscan"
)

// The steps of a putDecoder. Each leaves the next one in d.next.

// errKind means that a value is not the object that it should be.
var errKind = errors.New("a value that is not an object where there must be one")

// begin takes the beginning of the outermost object. Of null nothing is taken, as by encoding/json.
func (d *putDecoder) begin(text []byte, at int) (int, error) {
	return d.open(text, jsonscan.Space(text, at), topLevel, func() {})
}

// end takes white space after the outermost object.
func (d *putDecoder) end(text []byte, at int) (int, error) {
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
func (d *putDecoder) open(text []byte, at int, level collection, isNull func()) (int, error) {
	if at == len(text) {
		return at, jsonscan.ErrIncomplete
	}
	switch text[at] {
	case '{':
		d.within = append(d.within, level)
		d.next = (*putDecoder).first
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

// valueEnds says what comes after a value.
func (d *putDecoder) valueEnds() {
	d.next = (*putDecoder).comma
	if len(d.within) == 0 {
		d.next, d.ended = (*putDecoder).end, true
	}
}

// first takes the first member of an object, or its end.
func (d *putDecoder) first(text []byte, at int) (int, error) {
	at = jsonscan.Space(text, at)
	if at < len(text) && text[at] == '}' {
		return d.close(at), nil
	}
	return d.member(text, at)
}

// comma takes a comma and another member of the object, or its end.
func (d *putDecoder) comma(text []byte, at int) (int, error) {
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

func (d *putDecoder) close(at int) int {
	d.within = d.within[:len(d.within)-1]
	d.valueEnds()
	return at + 1
}

// member takes a name and its value, or as much of the value as is a step.
func (d *putDecoder) member(text []byte, at int) (int, error) {
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
			return d.open(text, value, environmentLevel, func() { d.environments.clear(d.known.nextPut()) })
		case isNamed(name, "filters"):
			return d.open(text, value, filterLevel, func() { d.filters.clear(0) })
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

// value takes a value of any kind.
func (d *putDecoder) value(text []byte, at int) (int, error) {
	end, err := jsonscan.Value(text, at, len(d.within))
	if err == nil {
		d.valueEnds()
	}
	return end, err
}

// lookUp returns what is known of an environment; nil if it is not. Puts tend to list environments in the same order:
// where that is so, what was next is next, and is found without a look into the map.
func (d *putDecoder) lookUp(id []byte) *item[environment] {
	guess := d.environments.guess()
	if guess != nil && guess.status == live && string(guess.value.id()) == string(id) {
		return guess
	}
	return d.known.items[config.EnvironmentID(id)]
}

func (d *putDecoder) environment(text, name []byte, at int) (int, error) {
	known := d.lookUp(name)
	if known != nil && known.status == live && known.value.isAt(text[at:]) && d.environments.addUnchanged(known) {
		d.valueEnds()
		return at + int(known.value.textLength), nil
	}
	c := cursor{text: text, at: at, depth: len(d.within)}
	e := c.environment()
	end, err := c.at, c.err
	var fresh *item[environment]
	switch err {
	case nil:
		fresh = d.newItem()
		d.make.fill(fresh, &e, text[at:end], known)
	case errUnusual:
		if end, err = jsonscan.Value(text, at, len(d.within)); err == nil {
			fresh, err = unusualItem(text[at:end])
		}
	}
	if err != nil {
		return end, err
	}
	id := fresh.value.id()
	if string(id) != string(name) {
		id = config.EnvironmentID(name)
	}
	d.environments.add(id, fresh, known)
	d.valueEnds()
	return end, nil
}

func (d *putDecoder) filter(text, name []byte, at int) (int, error) {
	end, err := d.value(text, at)
	if err != nil {
		return end, err
	}
	fresh, err := filterItem(text[at:end])
	if err != nil {
		return end, err
	}
	d.filters.add(config.FilterID(name), fresh, nil)
	return end, nil
}
