package keepalive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	segmentHeaderSize = 8
	responderBit      = 1 << 15

	// maxSegmentPayload is the longest payload of a segment: its length has 16 bits. A longer Write is several segments.
	maxSegmentPayload = 1<<16 - 1
	// maxIngress bounds the bytes that one role has not read yet. A role awaits one message at a time; a peer that sends
	// this much ahead of it breaks the protocol.
	maxIngress = 1280
)

// Segments splits a connection into the two roles of the mini-protocol, in the segment framing of the Ouroboros network,
// so that each end can be client and server at once. Each Write is sent in segments:
//
//	+-----------------------+---+----------------+------------------+---------
//	| time, 4 bytes         | R | protocol id 8  | length, 2 bytes  | payload
//	+-----------------------+---+----------------+------------------+---------
//	  low 32 bits of the      1   15 bits          of the payload
//	  clock, in us
//
// R is 1 in segments of a server, the responder of the mini-protocol, and 0 in those of a client. So asClient writes
// with R 0 and reads with R 1, asServer the other way round, and both ends of a connection may be client at once.
// initiator says whether this end dialled the connection; it changes no byte, only how errors name the two ends.
//
// A Cardano node wants the handshake first (protocol 0), which is the caller's. A segment of another protocol, or more
// than 1280 bytes that a role has not read, is an error of both sides that matches [ErrProtocol]: agree on a mode that
// runs no other mini-protocol. Segments for a side that was closed are dropped; close the side that you don't use.
//
// One goroutine reads the connection, from now until it fails or both sides were closed; the second Close closes the
// connection and waits for that goroutine, so Close of the connection has to end a Read. To drop everything at once, close the connection.
func Segments(conn io.ReadWriteCloser, initiator bool) (asClient, asServer io.ReadWriteCloser) {
	m := &segmentMux{conn: conn, start: time.Now(), peer: "initiator", open: 2}
	m.ended, m.writing = make(chan struct{}), make(chan struct{}, 1)
	if initiator {
		m.peer = "responder"
	}
	m.changed.L = &m.mu
	client := &segmentSide{mux: m, closed: make(chan struct{})}
	server := &segmentSide{mux: m, bit: responderBit, closed: make(chan struct{})}
	m.client, m.server = client, server
	go m.read()
	return client, server
}

// segmentMux reads the segments of a connection for both sides.
type segmentMux struct {
	conn           io.ReadWriteCloser
	peer           string // names the other end, in errors
	start          time.Time
	client, server *segmentSide
	ended          chan struct{} // closed when the reading goroutine has ended

	writing chan struct{} // holds a value while a segment is written

	mu      sync.Mutex
	changed sync.Cond // a side got bytes or was closed, or err was set
	open    int       // sides not closed
	err     error     // why reading ended
}

// segmentSide is one role's connection.
type segmentSide struct {
	mux *segmentMux
	bit uint16 // in the segments that this side sends

	closed chan struct{}

	// Guarded by mux.mu.
	unread    []byte
	isClosed  bool
	isSending bool // in a Write of the connection
}

func (m *segmentMux) read() {
	defer close(m.ended)
	err := m.readSegments()
	m.mu.Lock()
	m.err = err
	m.changed.Broadcast()
	m.mu.Unlock()
}

func (m *segmentMux) readSegments() error {
	var header [segmentHeaderSize]byte
	payload := make([]byte, maxIngress)
	for {
		if _, err := io.ReadFull(m.conn, header[:]); err != nil {
			return err
		}
		id, length := binary.BigEndian.Uint16(header[4:]), int(binary.BigEndian.Uint16(header[6:]))
		if id&^responderBit != ProtocolID {
			return mistake(ErrSegment, "the %s sent one of protocol %d, not %d", m.peer, id&^responderBit, ProtocolID)
		}
		if length > maxIngress {
			return mistake(ErrSegment, "the %s sent %d bytes at once, more than %d", m.peer, length, maxIngress)
		}
		if _, err := io.ReadFull(m.conn, payload[:length]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		receiver := m.client
		if id&responderBit == 0 {
			receiver = m.server
		}
		if err := receiver.deliver(payload[:length]); err != nil {
			return err
		}
	}
}

func (s *segmentSide) deliver(payload []byte) error {
	s.mux.mu.Lock()
	defer s.mux.mu.Unlock()
	if s.isClosed {
		// The other role of this end goes on. Late bytes for a role that has ended, such as the answer to a question whose
		// client was stopped, are no mistake.
		return nil
	}
	if len(s.unread)+len(payload) > maxIngress {
		return mistake(ErrSegment, "the %s sent more than %d bytes ahead", s.mux.peer, maxIngress)
	}
	s.unread = append(s.unread, payload...)
	s.mux.changed.Broadcast()
	return nil
}

// Read returns bytes that came for this side, and after them why no more come.
func (s *segmentSide) Read(p []byte) (int, error) {
	s.mux.mu.Lock()
	defer s.mux.mu.Unlock()
	for {
		switch {
		case s.isClosed:
			return 0, os.ErrClosed
		case len(s.unread) > 0:
			n := copy(p, s.unread)
			s.unread = append(s.unread[:0], s.unread[n:]...)
			return n, nil
		case s.mux.err != nil:
			return 0, s.mux.err
		}
		s.mux.changed.Wait()
	}
}

// Write sends bytes in segments, each in one Write of the connection.
func (s *segmentSide) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n := min(len(p)-written, maxSegmentPayload)
		if err := s.writeSegment(p[written : written+n]); err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

func (s *segmentSide) writeSegment(payload []byte) error {
	segment := make([]byte, segmentHeaderSize, segmentHeaderSize+len(payload))
	binary.BigEndian.PutUint16(segment[4:], ProtocolID|s.bit)
	binary.BigEndian.PutUint16(segment[6:], uint16(len(payload)))
	segment = append(segment, payload...)

	select {
	case s.mux.writing <- struct{}{}:
		defer func() { <-s.mux.writing }()
	case <-s.closed:
		return os.ErrClosed
	}
	if !s.setSending(true) {
		return os.ErrClosed
	}
	defer s.setSending(false)
	binary.BigEndian.PutUint32(segment, uint32(time.Since(s.mux.start).Microseconds()))
	if _, err := s.mux.conn.Write(segment); err != nil {
		return fmt.Errorf("send segment: %w", err)
	}
	return nil
}

// setSending notes whether a Write of the connection is under way. It reports false when the side was closed.
func (s *segmentSide) setSending(sending bool) bool {
	s.mux.mu.Lock()
	defer s.mux.mu.Unlock()
	s.isSending = sending
	return !s.isClosed
}

// Close ends this side's Reads and Writes. The connection is closed with the second side, and with the first one if that
// is in the middle of a segment: the other could not go on after half a segment.
func (s *segmentSide) Close() error {
	s.mux.mu.Lock()
	if s.isClosed {
		s.mux.mu.Unlock()
		return nil
	}
	s.isClosed = true
	close(s.closed)
	s.unread = nil
	s.mux.open--
	last, sending := s.mux.open == 0, s.isSending
	s.mux.changed.Broadcast()
	s.mux.mu.Unlock()
	if !last && !sending {
		return nil
	}
	err := s.mux.conn.Close()
	if last {
		<-s.mux.ended
	}
	return err
}
