package autoconfigtest

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
)

// ShiftTimes returns a copy of the recording in which the expiry times of keys are moved: "timestamp" in the expiring
// part of an sdkKey, and "expiry" in sdkKeys and mobileKeys, of put and patch events. Only the digits of these numbers
// change. Times are in whole milliseconds; one that would fall before 1970 becomes 0. Events whose JSON is malformed
// stay as they are.
func (r *Recording) ShiftTimes(by time.Duration) *Recording {
	shifted := &Recording{Recorded: r.Recorded, items: slices.Clone(r.items)}
	if !r.Recorded.IsZero() {
		shifted.Recorded = r.Recorded.Add(by)
	}
	var tracker lineTracker
	for i, it := range r.items {
		switch it.kind {
		case dropItem, statusItem:
			tracker = lineTracker{} // a new connection
		case lineItem:
			if tracker.next(i, it.line) == dispatchLine {
				shiftEvent(shifted.items, tracker.name, tracker.data, by.Milliseconds())
			}
		}
	}
	return shifted
}

// shiftEvent edits the lines of one event.
func shiftEvent(items []item, name string, data []dataRef, byMillis int64) {
	if name != autoconfig.PutEvent && name != autoconfig.PatchEvent {
		return
	}
	// The data as a client sees it, the lines joined with LF. A number never spans two lines.
	var doc []byte
	starts := make([]int, len(data)) // where each line of data begins in doc
	for i, ref := range data {
		if i > 0 {
			doc = append(doc, '\n')
		}
		starts[i] = len(doc)
		doc = append(doc, items[ref.item].line[ref.start:ref.end]...)
	}
	// From the last to the first, so that the places of those before stay right.
	for _, number := range slices.Backward(expiryNumbers(name, doc)) {
		millis, err := strconv.ParseUint(string(doc[number.start:number.end]), 10, 63)
		if err != nil || byMillis > 0 && int64(millis) > math.MaxInt64-byMillis {
			continue // no time that a client would understand
		}
		i, found := slices.BinarySearch(starts, number.start)
		if !found {
			i--
		}
		ref := data[i]
		at := ref.start + number.start - starts[i]
		items[ref.item].line = slices.Concat(items[ref.item].line[:at],
			strconv.AppendInt(nil, max(int64(millis)+byMillis, 0), 10),
			items[ref.item].line[at+number.end-number.start:])
	}
}

// span is a part of a text.
type span struct{ start, end int }

// expiryNumbers finds the expiry times in the data of a put or a patch, in order; none if it is malformed.
func expiryNumbers(name string, doc []byte) []span {
	if !json.Valid(doc) {
		return nil
	}
	var spans []span
	var path jsonPath
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return spans // the end: the text is valid
		}
		if number, isNumber := token.(json.Number); isNumber && isExpiry(name, path.keys()) {
			end := int(decoder.InputOffset())
			spans = append(spans, span{start: end - len(number), end: end})
		}
		path.next(token)
	}
}

// isExpiry reports whether the value at this path of an event is an expiry time.
func isExpiry(name string, path []string) bool {
	prefix := 1 // data
	if name == autoconfig.PutEvent {
		prefix = 3 // data, environments, the id
	}
	if len(path) < prefix || path[0] != "data" || prefix == 3 && path[1] != "environments" {
		return false
	}
	inEnvironment := path[prefix:]
	return slices.Equal(inEnvironment, []string{"sdkKey", "expiring", "timestamp"}) ||
		slices.Equal(inEnvironment, []string{"sdkKeys", arrayElement, "expiry"}) ||
		slices.Equal(inEnvironment, []string{"mobileKeys", arrayElement, "expiry"})
}

// arrayElement stands for any index in a path. It is not valid UTF-8, so no key is equal to it.
const arrayElement = "\xff"

// jsonPath follows the tokens of a JSON text.
type jsonPath struct {
	levels []jsonLevel
}

// jsonLevel is an object or array that is open.
type jsonLevel struct {
	array  bool
	hasKey bool // of an object: the key has come, its value is next
	key    string
}

// keys returns the path of the next value.
func (p *jsonPath) keys() []string {
	keys := make([]string, len(p.levels))
	for i, level := range p.levels {
		keys[i] = level.key
	}
	return keys
}

// next takes a token.
func (p *jsonPath) next(token json.Token) {
	switch token {
	case json.Delim('{'):
		p.levels = append(p.levels, jsonLevel{})
		return
	case json.Delim('['):
		p.levels = append(p.levels, jsonLevel{array: true, key: arrayElement})
		return
	case json.Delim('}'), json.Delim(']'):
		p.levels = p.levels[:len(p.levels)-1]
	}
	if len(p.levels) == 0 {
		return
	}
	top := &p.levels[len(p.levels)-1]
	if key, isString := token.(string); isString && !top.array && !top.hasKey {
		top.key, top.hasKey = key, true
		return
	}
	top.hasKey = false // the value is complete
}
