package wire

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/relayconf/relayconf/internal/jsonscan"
)

// errUnusual means that a text is written in a way that cursor leaves to encoding/json.
var errUnusual = errors.New("unusual JSON")

// cursor walks through JSON text whose shape is known. It takes the text as services write it, and leaves everything
// else to encoding/json: escapes, numbers out of range, values of another kind, members that are there twice, or whose
// names are known but for their case. So both decode the same.
//
// Once something has failed, every method returns a zero value at once: it is enough to look at err in the end. It is
// errUnusual, or jsonscan.ErrIncomplete if the text ends too soon.
type cursor struct {
	text  []byte
	at    int
	start int // of the environment that parts are counted from
	depth int // objects and arrays that are open, those around the text included
	err   error
}

// fail leaves no text, so that each further method fails too.
func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err, c.text, c.at = err, nil, 0
	}
}

// is says whether a certain byte comes next, without white space before it: that is where the methods that are called
// most look first.
func (c *cursor) is(next byte) bool { return c.at < len(c.text) && c.text[c.at] == next }

// peek skips white space and returns the byte that follows; 0 if there is none.
func (c *cursor) peek() byte {
	if c.at < len(c.text) && c.text[c.at] > ' ' {
		return c.text[c.at]
	}
	if c.at = jsonscan.Space(c.text, c.at); c.at == len(c.text) {
		c.fail(jsonscan.ErrIncomplete)
		return 0
	}
	return c.text[c.at]
}

// open steps into an object or array. It returns false if that is empty, and closes it then.
func (c *cursor) open(opening, closing byte) bool {
	if c.peek() != opening {
		c.fail(errUnusual)
		return false
	}
	c.at++
	c.depth++
	if c.peek() == closing {
		c.at++
		c.depth--
		return false
	}
	return c.err == nil
}

// more steps over a comma. It returns false if the object or array ends instead, and closes it.
func (c *cursor) more(closing byte) bool {
	if c.is(',') {
		c.at++
		return true
	}
	switch c.peek() {
	case ',':
		c.at++
		return true
	case closing:
		c.at++
		c.depth--
		return false
	}
	c.fail(errUnusual)
	return false
}

// object is an object whose members are known by name.
type object struct {
	names []string // in quotes, with the colon, in the order in which services write them
	seen  uint32   // a bit for each name
	next  int      // the name that is expected
}

// member takes the name of a member and the colon, and returns its number among the names. If it is none of them, member
// takes the value too and returns -1.
//
// The text is compared with each name, beginning with the name that usually follows the last one. That is quicker than
// to scan the text for the end of the name.
func (c *cursor) member(o *object) int {
	if !c.is('"') {
		c.peek()
	}
	for range o.names {
		number := o.next
		if o.next++; o.next == len(o.names) {
			o.next = 0
		}
		if name := o.names[number]; len(c.text)-c.at >= len(name) && string(c.text[c.at:c.at+len(name)]) == name {
			c.at += len(name)
			if o.seen&(1<<number) != 0 {
				c.fail(errUnusual)
			}
			o.seen |= 1 << number
			return number
		}
	}
	c.unknownMember(o)
	return -1
}

// unknownMember takes a member that is of no interest. It fails if encoding/json might take it for one that is known.
func (c *cursor) unknownMember(o *object) {
	name := string(c.quoted())
	for _, known := range o.names {
		if strings.EqualFold(name, known[1:len(known)-len(`":`)]) {
			c.fail(errUnusual)
		}
	}
	if c.peek() != ':' {
		c.fail(errUnusual)
		return
	}
	c.at++
	if c.peek(); c.err != nil {
		return
	}
	end, err := jsonscan.Value(c.text, c.at, c.depth)
	c.at = end
	c.accept(true, err)
}

// quoted takes a string.
func (c *cursor) quoted() []byte {
	if end := jsonscan.Plain(c.text, c.at); end >= 0 {
		quoted := c.text[c.at+1 : end-1]
		c.at = end
		return quoted
	}
	if c.peek(); c.err != nil {
		return nil
	}
	start := c.at
	end, plain, err := jsonscan.String(c.text, c.at)
	if c.at = end; !c.accept(plain, err) {
		return nil
	}
	return c.text[start+1 : end-1]
}

// accept fails on an error of package jsonscan, and on a text that is not plain.
func (c *cursor) accept(plain bool, err error) bool {
	switch {
	case err == jsonscan.ErrIncomplete:
		c.fail(err)
	case err != nil || !plain:
		c.fail(errUnusual)
	}
	return c.err == nil
}

// string takes a string, or null, which is the zero value.
func (c *cursor) string() []byte {
	if !c.is('"') && c.peek() != '"' {
		c.null()
		return nil
	}
	return c.quoted()
}

// part is a string within the text of an environment: where it begins and ends. The zero value is the empty string.
type part struct{ from, to uint16 }

func (p part) of(text string) string { return text[p.from:p.to] }

// part takes a string, or null. It leaves environments of more than 64 KiB to encoding/json.
func (c *cursor) part() part {
	s := c.string()
	if s == nil {
		return part{}
	}
	end := c.at - len(`"`) - c.start
	if end > math.MaxUint16 {
		c.fail(errUnusual)
		return part{}
	}
	return part{uint16(end - len(s)), uint16(end)}
}

// null takes the word.
func (c *cursor) null() { c.word("null") }

func (c *cursor) word(word string) {
	if c.peek(); c.err != nil {
		return
	}
	end, err := jsonscan.Literal(c.text, c.at, word)
	c.at = end
	c.accept(true, err)
}

// bool takes true, false or null.
func (c *cursor) bool() bool {
	switch c.peek() {
	case 't':
		c.word("true")
		return c.err == nil
	case 'f':
		c.word("false")
	default:
		c.null()
	}
	return false
}

// mostDigits is how many digits a number may have so that it fits into an int for sure: 9 or 18.
const mostDigits = 9 * (strconv.IntSize / 32)

// int takes a number without a sign that fits into an int on every machine, or null.
func (c *cursor) int() int { return int(c.digits(mostDigits)) }

// millis takes a time in milliseconds, or null.
func (c *cursor) millis() uint64 { return c.digits(18) }

// digits takes a number without a sign, fraction and exponent, of at most so many digits, or null.
func (c *cursor) digits(most int) (n uint64) {
	first := c.peek()
	if first < '0' || first > '9' {
		c.null()
		return 0
	}
	start := c.at
	for ; c.at < len(c.text); c.at++ {
		digit := c.text[c.at] - '0'
		if digit > 9 {
			break
		}
		n = n*10 + uint64(digit) // may overflow, and is not used then
	}
	length := c.at - start
	switch {
	case c.at == len(c.text):
		c.fail(jsonscan.ErrIncomplete)
	case length > most, first == '0' && length > 1, isNumber(c.text[c.at]):
		c.fail(errUnusual)
	default:
		return n
	}
	return 0
}

func isNumber(c byte) bool { return c == '.' || c == 'e' || c == 'E' }

// ends says whether all went well and only white space follows.
func (c *cursor) ends() bool { return c.err == nil && jsonscan.Space(c.text, c.at) == len(c.text) }
