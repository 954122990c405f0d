package main

import (
	"io"
	"net"
	"sync"
)

// proxy forwards TCP to an address, over a line that can be cut.
type proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex
	isCut bool
	conns map[net.Conn]struct{}
}

func newProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, conns: map[net.Conn]struct{}{}}
	p.running.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// cut ends every connection, and new ones at once.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// restore lets new connections through.
func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = false
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.cut()
	p.running.Wait()
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.running.Go(func() { p.forward(near, far) })
	}
}

// forward copies both ways until either end closes, or the line is cut.
func (p *proxy) forward(ends ...net.Conn) {
	var copying sync.WaitGroup
	p.mu.Lock()
	for i, conn := range ends {
		if p.isCut {
			_ = conn.Close()
		}
		p.conns[conn] = struct{}{}
		copying.Go(func() {
			_, _ = io.Copy(ends[1-i], conn)
			_, _ = ends[0].Close(), ends[1].Close()
		})
	}
	p.mu.Unlock()
	copying.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range ends {
		delete(p.conns, conn)
	}
}
