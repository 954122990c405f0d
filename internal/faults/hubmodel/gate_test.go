package hubmodel

import (
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
)

// gate holds up the reads of a relay while it is shut. At first it is open.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed when the gate opens; nil while it is open
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened != nil
}

// pass waits while the gate is shut.
func (g *gate) pass() {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	if opened != nil {
		<-opened
	}
}

// gated is the body of a response, read by a relay that may stall.
type gated struct {
	io.Reader
	gate *gate
}

func (g gated) Read(buffer []byte) (int, error) {
	g.gate.pass()
	return g.Reader.Read(buffer[:min(len(buffer), 100)])
}

// TestARelayThatIsResumedTwiceReadsOn resumes a relay again before it has noticed the first time, as a burst may.
func TestARelayThatIsResumedTwiceReadsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 1000 {
			r := newRelay("rel-all")
			reader, writer := io.Pipe()
			read := make(chan error)
			go func() {
				_, err := io.ReadAll(gated{reader, r.gate})
				read <- err
			}()
			synctest.Wait()
			r.stall()
			if _, err := writer.Write([]byte("a line\n")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // it waits to read on
			r.resume()
			r.resume()
			end := errors.New("the end")
			_ = writer.CloseWithError(end)
			if err := <-read; err != end {
				t.Fatal(err)
			}
		}
	})
}
