package sse

import "bytes"

var bom = []byte("\xEF\xBB\xBF")

// lines is the read buffer, cut into lines. It does no I/O: the caller reads into free(), says how much came with
// add(), and takes the whole lines with next() until there are no more. Each byte is searched once for LF and once for
// CR.
type lines struct {
	minBuf, maxBuf int // the buffer starts with minBuf bytes and doubles up to maxBuf while reads fill it

	buf        []byte
	spare      []byte // has the line that was consumed last, and is used again at the next one; nil if there was none
	start, end int    // buf[start:end] was received and not yet taken; start is the start of a line
	lf         int    // there is no LF in buf[start:lf]
	cr         int    // there is no CR in buf[start:cr]
	afterCR    bool   // the last line ended with CR: an LF that follows belongs to it
	begun      bool   // the byte order mark was looked for
}

// next takes the next whole line off the buffer, without its end. A line that ends with CR is whole at once, whether or
// not an LF follows. The line is valid until the next call of free.
func (l *lines) next() (line []byte, ok bool) {
	if !l.begun && !l.skipBOM() {
		return nil, false
	}
	if l.afterCR && l.start < l.end {
		l.afterCR = false
		if l.buf[l.start] == '\n' {
			l.startAt(l.start + 1)
		}
	}

	if i := bytes.IndexByte(l.buf[l.lf:l.end], '\n'); i >= 0 {
		l.lf += i
	} else {
		l.lf = l.end
	}
	eol := l.lf
	if i := bytes.IndexByte(l.buf[l.cr:l.lf], '\r'); i >= 0 {
		eol = l.cr + i
		l.afterCR = true
	} else if l.lf == l.end {
		l.cr = l.end
		return nil, false
	}
	line = l.buf[l.start:eol]
	l.startAt(eol + 1)
	return line, true
}

// skipBOM drops a byte order mark at the start of the stream. It is false while more bytes are needed to tell.
func (l *lines) skipBOM() bool {
	received := l.buf[l.start:l.end]
	if len(received) < len(bom) && bytes.HasPrefix(bom, received) {
		return false
	}
	if bytes.HasPrefix(received, bom) {
		l.startAt(l.start + len(bom))
	}
	l.begun = true
	return true
}

func (l *lines) startAt(i int) {
	l.start = i
	l.lf = max(l.lf, i)
	l.cr = i
}

// partial is the line under way: the bytes after the last whole line, once next has returned no more lines.
func (l *lines) partial() []byte {
	if !l.begun {
		return nil
	}
	return l.buf[l.start:l.end]
}

// free returns the room in the buffer, for the next Read. It may move the bytes in the buffer. It is empty if the line
// under way fills a buffer of the largest size: the caller then has to call giveAway or truncate.
func (l *lines) free() []byte {
	full := l.end == len(l.buf)
	switch {
	case full && len(l.buf) < l.maxBuf:
		l.moveTo(make([]byte, min(max(l.minBuf, 2*len(l.buf)), l.maxBuf)))
	case full, l.start == l.end:
		l.moveTo(l.buf)
	}
	return l.buf[l.end:]
}

func (l *lines) moveTo(buf []byte) {
	copy(buf, l.buf[l.start:l.end])
	l.end -= l.start
	l.lf -= l.start
	l.cr -= l.start
	l.start = 0
	l.buf = buf
}

// add says that n bytes were read into free().
func (l *lines) add(n int) { l.end += n }

// isFull says whether there is no room after the line under way in a buffer of the largest size, most of which that line
// takes.
func (l *lines) isFull() bool {
	return l.end == len(l.buf) && len(l.buf) == l.maxBuf && l.end-l.start > l.maxBuf/2
}

// consume takes the line under way, which fills the buffer, and goes on in another buffer of the largest size. The taken
// line stays valid until the next call of free after another consume.
func (l *lines) consume() {
	l.buf, l.spare = l.spare, l.buf
	if l.buf == nil {
		l.buf = make([]byte, l.maxBuf)
	}
	l.start, l.end, l.lf, l.cr = 0, 0, 0, 0
}

// shrink gives large buffers back if there is nothing in them.
func (l *lines) shrink() {
	if l.start == l.end && len(l.buf) > l.minBuf {
		l.buf, l.spare = nil, nil
		l.start, l.end, l.lf, l.cr = 0, 0, 0, 0
	}
}

// giveAway leaves the buffer to those who hold slices of it, and goes on with a new one. The line under way goes with
// it: the rest of that line follows in the new buffer.
func (l *lines) giveAway() {
	l.buf = make([]byte, l.maxBuf)
	l.start, l.end, l.lf, l.cr = 0, 0, 0, 0
}

// truncate drops all but the first n bytes of the line under way; the bytes that follow are added to those.
func (l *lines) truncate(n int) {
	l.end = l.start + n
	l.lf, l.cr = l.end, l.end
}
