package sse

import "bytes"

// data joins the data lines of one event with LF.
//
// A single line stays in the read buffer, uncopied, until settle. More lines are joined in tail, which is used again
// for the next event. Data beyond chunkSize become a list of chunks, which are put together once, when the size is
// known: so even the largest event takes no more than twice its size, and leaves no large buffer behind.
type data struct {
	chunkSize int

	any     bool     // there was a data line, even if it was empty
	inPlace []byte   // the only line so far, in the read buffer; nil if there is none or it was settled
	chunks  [][]byte // the data before tail
	tail    []byte   // at most chunkSize bytes
}

// addLine adds a whole line. It keeps the slice until settle.
func (d *data) addLine(value []byte) {
	if !d.any {
		d.any = true
		d.inPlace = value
		return
	}
	d.settle()
	if len(d.tail)+1+len(value) <= d.chunkSize {
		d.tail = append(append(d.tail, '\n'), value...) // the same as below, faster for the many short lines
		return
	}
	d.startLine()
	d.append(value)
}

// startLine begins a line that comes in parts.
func (d *data) startLine() {
	if d.any {
		d.settle()
		d.append([]byte{'\n'})
	}
	d.any = true
}

// endLine adds the rest of a line that came in parts. It keeps the slice until settle.
func (d *data) endLine(rest []byte) {
	if d.isEmpty() && len(rest) > 0 {
		d.inPlace = rest
		return
	}
	d.append(rest)
}

// isEmpty says that join would return nothing.
func (d *data) isEmpty() bool { return d.inPlace == nil && d.chunks == nil && len(d.tail) == 0 }

// settle makes the data independent of the read buffer.
func (d *data) settle() {
	if d.inPlace != nil {
		d.append(d.inPlace)
		d.inPlace = nil
	}
}

// append adds a copy of part to the line.
func (d *data) append(part []byte) {
	for len(part) > 0 {
		if len(d.tail) == d.chunkSize {
			d.chunks = append(d.chunks, d.tail)
			d.tail = make([]byte, 0, d.chunkSize)
		}
		n := min(len(part), d.chunkSize-len(d.tail))
		d.tail = append(d.tail, part[:n]...)
		part = part[n:]
	}
}

// appendOwned adds part to the line without a copy: it is the data's own from now on.
func (d *data) appendOwned(part []byte) {
	if len(d.tail) > 0 {
		d.chunks = append(d.chunks, d.tail)
		d.tail = nil
	}
	d.chunks = append(d.chunks, part)
}

// join returns the joined data and starts afresh. The result is valid until data is added again, and as long as
// the read buffer is.
func (d *data) join() []byte {
	joined := d.tail
	switch {
	case d.inPlace != nil:
		joined = d.inPlace
	case d.chunks != nil:
		joined = bytes.Join(append(d.chunks, d.tail), nil)
	}
	d.any, d.inPlace, d.chunks, d.tail = false, nil, nil, d.tail[:0]
	return joined[:len(joined):len(joined)]
}

// shrink gives the buffer for joined data back, if there is nothing in it.
func (d *data) shrink() {
	if d.isEmpty() {
		d.tail = nil
	}
}
