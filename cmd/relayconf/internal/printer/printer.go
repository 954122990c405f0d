// Package printer writes lines to an output that may stall or fail, such as a terminal after Ctrl-S or a pipe that nobody
// reads. The caller never waits.
package printer

import (
	"bytes"
	"context"
	"io"
	"sync"
)

// Options says where to print, and how much may wait.
type Options struct {
	Out io.Writer
	// Limit is how many bytes may wait. Beyond it the oldest lines are left out. Not positive: no limit.
	Limit int
	// LeftOut makes the line that says how many lines were left out. It is printed in their place.
	LeftOut func(lines int) []byte
	// Failed is told of the first write that fails, and of the first after one that succeeded. It may be nil. It is called in
	// the printer's goroutine.
	Failed func(error)
	// Recovered is told of the first write that succeeds after one that failed. It may be nil.
	Recovered func()
}

// largestWrite bounds the bytes of one write, but for a line that is longer.
const largestWrite = 64 << 10

// Printer queues lines and writes them in a goroutine of its own, which lives while there are lines to write.
type Printer struct {
	options Options

	mu      sync.Mutex
	queue   [][]byte
	size    int           // bytes in queue
	leftOut int           // lines that were left out, and of which no line has told yet
	writing chan struct{} // closed when the goroutine ends; nil if there is none
	err     error         // of the latest write
	inLine  bool          // the latest write ended inside a line
}

// New makes a printer, which needs no Close.
func New(options Options) *Printer { return &Printer{options: options} }

// Write queues a copy of one or more whole lines. It never blocks and never fails.
func (p *Printer) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, bytes.Clone(lines))
	p.size += len(lines)
	for p.options.Limit > 0 && p.size > p.options.Limit && len(p.queue) > 1 {
		p.leftOut += countLines(p.pop())
	}
	if p.writing == nil {
		p.writing = make(chan struct{})
		go p.run(p.writing)
	}
	return len(lines), nil
}

// Flush waits until everything is written, or has failed to be, or until the context ends. It returns how many lines
// were not written.
func (p *Printer) Flush(ctx context.Context) (missing int) {
	p.mu.Lock()
	writing := p.writing
	p.mu.Unlock()
	if writing != nil {
		select {
		case <-writing:
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	missing = p.leftOut
	for _, lines := range p.queue {
		missing += countLines(lines)
	}
	return missing
}

// Err returns why the latest write failed, or nil.
func (p *Printer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// pop takes the oldest lines off the queue.
func (p *Printer) pop() []byte {
	lines := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	p.size -= len(lines)
	return lines
}

func (p *Printer) run(ended chan struct{}) {
	defer close(ended)
	for {
		batch, ok := p.next()
		if !ok {
			return
		}
		n, err := p.options.Out.Write(batch.text)
		p.written(batch, n, err)
	}
}

// batch is the text of one write.
type batch struct {
	text   []byte
	notice int // the bytes of text that come before the first line: the end of a broken line, and the line on leftOut
	told   int // how many lines the notice says were left out
}

// next returns the lines to write next. If there are none, the goroutine has to end.
func (p *Printer) next() (b batch, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		p.queue, p.writing = nil, nil
		return batch{}, false
	}
	if p.inLine {
		b.text = append(b.text, '\n')
	}
	if p.leftOut > 0 {
		b.text = append(b.text, p.options.LeftOut(p.leftOut)...)
		b.told, p.leftOut = p.leftOut, 0
	}
	b.notice = len(b.text)
	for len(p.queue) > 0 && (len(b.text) == b.notice || len(b.text)+len(p.queue[0]) <= largestWrite) {
		b.text = append(b.text, p.pop()...)
	}
	return b, true
}

// written notes how a write ended after n bytes.
func (p *Printer) written(b batch, n int, err error) {
	p.mu.Lock()
	if err == nil {
		n = len(b.text)
	} else {
		p.leftOut += countLines(b.text[max(n, b.notice):])
		if n < b.notice {
			p.leftOut += b.told
		}
	}
	if n > 0 {
		p.inLine = b.text[n-1] != '\n'
	}
	before := p.err
	p.err = err
	p.mu.Unlock()
	switch {
	case err != nil && before == nil && p.options.Failed != nil:
		p.options.Failed(err)
	case err == nil && before != nil && p.options.Recovered != nil:
		p.options.Recovered()
	}
}

func countLines(text []byte) int { return bytes.Count(text, []byte{'\n'}) }
