package fakes

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// JSON returns the data of an event with every key in it replaced, and all else as it was, byte for byte: unknown
// fields, white space and the order of fields too. What is a key is told by the structure of the data: it is every text
// inside sdkKey and mobKey, and in the entries of sdkKeys and mobileKeys but for their names. As a service may come to
// send keys elsewhere, so is any other text that starts as its keys do, and any that is equal to a key seen before.
// Data that is not JSON can't be searched this way, and is an error, which does not show it.
func (f *Fakes) JSON(data []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // a number may be too large for a float
	w := walker{fakes: f, data: data, decoder: decoder}
	if err := w.value(false); err != nil {
		return nil, errMalformed
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errMalformed
	}
	w.out.Write(data[w.copied:])
	return w.out.Bytes(), nil
}

var errMalformed = errors.New("its data is not JSON")

// leastTelling is the length from which a text that is equal to a key is taken for that key wherever it is. A test
// service may use "1" as a key, and as much else.
const leastTelling = 8

// deepest is how deeply values may be nested: as deeply as encoding/json allows.
const deepest = 10_000

// walker goes through a value once, token by token.
type walker struct {
	fakes   *Fakes
	data    []byte
	decoder *json.Decoder
	out     bytes.Buffer
	copied  int // how much of data is in out
	depth   int
}

// value copies the next value. If secret, every text in it is a key, but for the names of keys in a list.
func (w *walker) value(secret bool) error {
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Delim:
		if w.depth++; w.depth > deepest {
			return errMalformed
		}
		defer func() { w.depth-- }()
		if token == '{' {
			err = w.object(secret)
		} else {
			err = w.array(secret)
		}
		if err != nil {
			return err
		}
		_, err = w.decoder.Token() // the closing bracket
		return err
	case string:
		_, known := w.fakes.fakes[token]
		if token != "" && (secret || known && len(token) >= leastTelling || looksLikeKey(token)) {
			w.replace(w.fakes.Key(token))
		}
	}
	return nil
}

func (w *walker) array(secret bool) error {
	for w.decoder.More() {
		if err := w.value(secret); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) object(secret bool) error {
	for w.decoder.More() {
		token, err := w.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder accepts nothing else here
		// The client takes the names of fields in either case.
		inSecret := secret
		switch strings.ToLower(name) {
		case "sdkkey", "mobkey", "sdkkeys", "mobilekeys":
			inSecret = true
		case "key":
			inSecret = false // the name of a key in a list
		}
		if err := w.value(inSecret); err != nil {
			return err
		}
	}
	return nil
}

// replace puts a text in the place of the string that was just read.
func (w *walker) replace(text string) {
	end := int(w.decoder.InputOffset())
	start := w.stringStart(end)
	w.out.Write(w.data[w.copied:start])
	quoted, _ := json.Marshal(text) // a string can't fail
	w.out.Write(quoted)
	w.copied = end
}

// stringStart finds the opening quote of the string that ends at end: the first quote before its closing one that has
// an even number of backslashes before it.
func (w *walker) stringStart(end int) int {
	for i := end - 2; ; i-- {
		if w.data[i] != '"' {
			continue
		}
		backslashes := 0
		for i-1-backslashes >= 0 && w.data[i-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i
		}
	}
}
