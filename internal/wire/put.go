package wire

import (
	"fmt"
	"sync"

	"github.com/relayconf/relayconf/internal/jsonscan"
)

// PutDecoder decodes the data of one put event as it arrives, in parts that may be cut anywhere. So a large put need not
// be in memory as a whole, and is nearly decoded when its last byte comes.
//
// It skips environments that have the same text as before. The message is complete, or there is none: nobody gets it
// before the text has ended well.
type PutDecoder struct {
	known Known
	place int // of the environment that is known and was listed last; -1 if there was none

	path string
	put  Put

	next   step         // scans the next step
	within []collection // the objects that are open
	ended  bool         // the outermost has been closed

	digests sync.WaitGroup // the goroutines that compute the digests of full chunks

	pending []byte // the beginning of a step whose rest has not come
	tried   int    // how much of pending was scanned already, and was not enough
	offset  int    // in the text, of the first byte that was not scanned
}

// step scans a part of the text, from a certain place on, and returns where the step ends. It changes nothing if the
// text is cut off before that.
type step func(d *PutDecoder, text []byte, at int) (end int, err error)

// collection is an object of the known structure of a put.
type collection int

const (
	topLevel         collection = iota // path, data
	dataLevel                          // environments, filters
	environmentLevel                   // environments by id
	filterLevel                        // filters by id
)

// NewPutDecoder makes a decoder for one put. The known environments must not change before Finish.
func NewPutDecoder(known Known) *PutDecoder {
	d := &PutDecoder{known: known, place: -1}
	d.next = (*PutDecoder).begin
	return d
}

// Add decodes the next part of the text, and keeps no reference to it. An error means that the text is not a put. It is
// final, and does not quote the text, which holds keys.
func (d *PutDecoder) Add(part []byte) error {
	// A step that was cut off is completed in a buffer of its own: with a few bytes from the new part, doubled each time
	// that this is not enough, so that even a huge step is looked at only a few times.
	for len(d.pending) > 0 {
		before, enough := len(d.pending), d.tried+max(d.tried, minPending)
		fill := min(enough-before, len(part))
		d.pending = append(d.pending, part[:fill]...)
		if len(d.pending) < enough {
			return nil
		}
		scanned, err := d.scan(d.pending)
		if err != nil {
			return err
		}
		if scanned >= before {
			part = part[scanned-before:] // the rest of pending is a part of it
			d.pending = d.pending[:0]
			break
		}
		part = part[fill:]
		d.keep(d.pending[scanned:])
	}
	scanned, err := d.scan(part)
	if err != nil {
		return err
	}
	d.keep(part[scanned:])
	return nil
}

// minPending is larger than most environments.
const minPending = 1 << 10

func (d *PutDecoder) keep(rest []byte) {
	d.pending = append(d.pending[:0], rest...)
	d.tried = len(rest)
}

// scan goes on by as many steps as there are in text, and returns how many bytes those were.
func (d *PutDecoder) scan(text []byte) (int, error) {
	at := 0
	for {
		end, err := d.next(d, text, at)
		if err == jsonscan.ErrIncomplete {
			d.offset += at
			return at, nil
		}
		if err != nil {
			return at, fmt.Errorf("%w in the item at byte %d", err, d.offset+at)
		}
		at = end
	}
}

// Finish returns the message after the last part. The error is ErrIgnored, wrapped, for a path that is not "/".
func (d *PutDecoder) Finish() (*Put, error) {
	scanned, err := d.scan(d.pending)
	if err != nil {
		return nil, err
	}
	if scanned < len(d.pending) || !d.ended {
		return nil, jsonscan.ErrIncomplete
	}
	if d.path != "/" {
		return nil, fmt.Errorf(`%w: its path is not "/"`, ErrIgnored)
	}
	d.digests.Wait()
	return &d.put, nil
}
