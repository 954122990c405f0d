package hub

import (
	"hash/crc32"
	"sync"

	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/internal/wire"
)

// encoding is how the bytes of a stream are encoded.
type encoding int

const (
	plain encoding = iota
	gzipped
	encodings // how many there are
)

// piece is a part of streams that many relays share. Its bytes are made once for each encoding, when the first relay
// needs them.
type piece struct {
	text   []byte
	once   sync.Once
	zipped zipped
}

func newPiece(text []byte) *piece { return &piece{text: text} }

// bytes returns the bytes in an encoding, and the checksum of the text if the encoding needs it.
func (p *piece) bytes(encoding encoding) ([]byte, checksum) {
	if encoding == plain {
		return p.text, checksum{}
	}
	p.once.Do(func() {
		d := newDeflater(smallPiece)
		_, _ = d.Write(p.text) // it writes to memory
		p.zipped = d.finish()
	})
	return p.zipped.data, p.zipped.sum
}

// event makes a piece of an event but for its id, which differs between views and ends the event: see appendID.
func event(name string, data []byte) *piece {
	text := make([]byte, 0, len("event: \ndata: \n")+len(name)+len(data))
	text = append(append(text, "event: "...), name...)
	text = append(append(text, "\ndata: "...), data...)
	return newPiece(append(text, '\n'))
}

func patchEvent(it *item) *piece {
	return event("patch", wire.AppendPatch(make([]byte, 0, len(it.text)+len(it.id)+64), pathOf(it.kind), it.id, it.text))
}

func deleteEvent(it *item) *piece {
	return event("delete", wire.AppendDelete(nil, pathOf(it.kind), it.id, it.version))
}

func pathOf(kind kind) string {
	if kind == environment {
		return wire.EnvironmentPath
	}
	return wire.FilterPath
}

// Pieces that all hubs share.
var (
	// resumedEvent changes nothing. Existing clients ignore its path, and count the event as life: several report
	// themselves valid, and reset their backoff, only by an event.
	resumedEvent = event("patch", []byte(`{"path":"/relayconf/resumed","data":{}}`))

	// confirmedEvent changes nothing either. It says that the configuration is the present one, on a stream that began when
	// this was not certain.
	confirmedEvent = event("patch", []byte(`{"path":"`+wire.ConfirmedPath+`","data":{}}`))

	// reconnectEvent has no id, so that the relay comes back with the id of its state.
	reconnectEvent = newPiece([]byte("event: reconnect\ndata: {}\n\n"))

	keepaliveComment = newPiece([]byte(":\n"))
)

// idLine is how the id of a state follows an event, and ends it.
const idLine = "id: 0123456789abcdef0123456789abcdef\n\n"

// idShift is for checksums of the text before an id line.
var idShift = shiftOver(len(idLine))

// appendID appends the line with the id of a state, in an encoding, and its checksum. It is not compressed, which would
// gain nothing.
func appendID(buffer []byte, d digest.Digest, encoding encoding) ([]byte, checksum) {
	if encoding == plain {
		return appendIDText(buffer, d), checksum{}
	}
	buffer = append(buffer, storedHeader(len(idLine))...)
	start := len(buffer)
	buffer = appendIDText(buffer, d)
	sum := checksum{crc: crc32.ChecksumIEEE(buffer[start:]), length: uint32(len(idLine)), shift: idShift}
	return append(buffer, syncMarker...), sum
}

func appendIDText(buffer []byte, d digest.Digest) []byte {
	return append(append(append(buffer, "id: "...), d.String()...), "\n\n"...)
}
