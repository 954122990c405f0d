package jsonscan

// Space returns where the first byte at or after i is that is not white space.
func Space(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
		i++
	}
	return i
}

// Value scans a value of any kind, which must begin at i, and returns where it ends. The depth is the number of objects
// and arrays that it is in.
func Value(text []byte, i, depth int) (end int, err error) {
	if i >= len(text) {
		return i, ErrIncomplete
	}
	switch c := text[i]; c {
	case '"':
		i, _, err = String(text, i)
		return i, err
	case '{':
		return object(text, i+1, depth+1)
	case '[':
		return array(text, i+1, depth+1)
	case 't':
		return Literal(text, i, "true")
	case 'f':
		return Literal(text, i, "false")
	case 'n':
		return Literal(text, i, "null")
	default:
		return number(text, i)
	}
}

// Literal scans a certain word.
func Literal(text []byte, i int, word string) (end int, err error) {
	rest := text[i:min(len(text), i+len(word))]
	switch {
	case string(rest) == word:
		return i + len(word), nil
	case string(rest) == word[:len(rest)]:
		return i, ErrIncomplete
	}
	return i, ErrSyntax
}

// object scans an object from behind its opening brace.
func object(text []byte, i, depth int) (end int, err error) {
	if depth > MaxDepth {
		return i, ErrDepth
	}
	if i = Space(text, i); i < len(text) && text[i] == '}' {
		return i + 1, nil
	}
	for {
		if i, _, err = String(text, Space(text, i)); err != nil {
			return i, err
		}
		if i, err = Colon(text, i); err != nil {
			return i, err
		}
		if i, err = Value(text, i, depth); err != nil {
			return i, err
		}
		var more bool
		if i, more, err = separator(text, i, '}'); !more {
			return i, err
		}
	}
}

// Colon scans the colon between the name and the value of a member, and the white space around it.
func Colon(text []byte, i int) (end int, err error) {
	if i = Space(text, i); i == len(text) {
		return i, ErrIncomplete
	}
	if text[i] != ':' {
		return i, ErrSyntax
	}
	if i = Space(text, i+1); i == len(text) {
		return i, ErrIncomplete
	}
	return i, nil
}

// array scans an array from behind its opening bracket.
func array(text []byte, i, depth int) (end int, err error) {
	if depth > MaxDepth {
		return i, ErrDepth
	}
	if i = Space(text, i); i < len(text) && text[i] == ']' {
		return i + 1, nil
	}
	for {
		if i, err = Value(text, Space(text, i), depth); err != nil {
			return i, err
		}
		var more bool
		if i, more, err = separator(text, i, ']'); !more {
			return i, err
		}
	}
}

func number(text []byte, i int) (end int, err error) {
	if text[i] == '-' {
		i++
	}
	if i < len(text) && text[i] == '0' {
		i++
	} else if i, err = digits(text, i); err != nil {
		return i, err
	}
	if i < len(text) && text[i] == '.' {
		if i, err = digits(text, i+1); err != nil {
			return i, err
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if i, err = digits(text, i); err != nil {
			return i, err
		}
	}
	if i == len(text) {
		return i, ErrIncomplete
	}
	return i, nil
}

// digits scans at least one digit.
func digits(text []byte, i int) (end int, err error) {
	if i == len(text) {
		return i, ErrIncomplete
	}
	if text[i] < '0' || text[i] > '9' {
		return i, ErrSyntax
	}
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i, nil
}

// separator scans a comma, which means that there are more members, or the closing bracket. There are no more if it
// fails.
func separator(text []byte, i int, closing byte) (end int, more bool, err error) {
	i = Space(text, i)
	switch {
	case i == len(text):
		return i, false, ErrIncomplete
	case text[i] == ',':
		return i + 1, true, nil
	case text[i] == closing:
		return i + 1, false, nil
	}
	return i, false, ErrSyntax
}
