package autoconfig

import (
	"fmt"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/internal/jsonscan"
)

// putDecoder decodes the data of one put event as it arrives, in parts that may be cut anywhere. So a large put need
// not be in memory as a whole, and is nearly decoded when its last byte comes.
//
// It skips environments that are written in the same bytes as when they were last looked at, and marks them as listed.
// That mark is all that it changes of what is known: the rest is in message, which nobody gets before the text has
// ended well.
type putDecoder struct {
	known *versioned[config.EnvironmentID, environment]
	make  environmentMaker
	items []item[environment] // to make the next ones of

	path         string
	environments putList[config.EnvironmentID, environment]
	filters      putList[config.FilterID, envfactory.FilterRep]

	next   step         // takes the next step
	within []collection // the objects that are open
	ended  bool         // the outermost has been closed

	pending []byte // what came of a step that is not whole
	tried   int    // so many bytes of pending were looked at, and are not enough
	offset  int    // in the text, of what has yet to be looked at
}

// step takes a part of the text, which begins at a certain place, and returns where that ends. It changes nothing if
// the text is cut off before that.
type step func(d *putDecoder, text []byte, at int) (end int, err error)

// collection is an object of the known structure of a put.
type collection int

const (
	topLevel         collection = iota // path, data
	dataLevel                          // environments, filters
	environmentLevel                   // environments by id
	filterLevel                        // filters by id
)

func newPutDecoder(known *versioned[config.EnvironmentID, environment]) *putDecoder {
	d := &putDecoder{known: known}
	d.environments.clear(known.nextPut())
	d.next = (*putDecoder).begin
	return d
}

// newItem allocates items in blocks, which is quicker. They are kept for as long as their environment is there, whatever
// changes, so not much memory is kept for the sake of one last item of a block.
func (d *putDecoder) newItem() *item[environment] {
	if len(d.items) == 0 {
		d.items = make([]item[environment], itemsInABlock)
	}
	fresh := &d.items[0]
	d.items = d.items[1:]
	return fresh
}

// itemsInABlock makes a block of 4 KiB, nearly. That is one of the sizes in which memory comes.
const itemsInABlock = 46

// add takes the next part of the text, which is the caller's again afterwards. An error means that the text is not a
// put, whatever may follow.
func (d *putDecoder) add(part []byte) error {
	// A step that was cut off is completed in a buffer of its own: with a few bytes from the new part, doubled each time
	// that this is not enough, so that even a huge step is looked at only a few times.
	for len(d.pending) > 0 {
		before, enough := len(d.pending), d.tried+max(d.tried, minPending)
		fill := min(enough-before, len(part))
		d.pending = append(d.pending, part[:fill]...)
		if len(d.pending) < enough {
			return nil
		}
		taken, err := d.take(d.pending)
		if err != nil {
			return err
		}
		if taken >= before {
			part = part[taken-before:] // what is left of pending is there too
			d.pending = d.pending[:0]
			break
		}
		part = part[fill:]
		d.keep(d.pending[taken:])
	}
	taken, err := d.take(part)
	if err != nil {
		return err
	}
	d.keep(part[taken:])
	return nil
}

// minPending is larger than most environments.
const minPending = 1 << 10

func (d *putDecoder) keep(rest []byte) {
	d.pending = append(d.pending[:0], rest...)
	d.tried = len(rest)
}

// take takes as many steps as there are in text, and returns how many bytes those were.
func (d *putDecoder) take(text []byte) (int, error) {
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

// finish returns the message after the last part.
func (d *putDecoder) finish() (message, error) {
	taken, err := d.take(d.pending)
	if err != nil {
		return nil, err
	}
	if taken < len(d.pending) || !d.ended {
		return nil, jsonscan.ErrIncomplete
	}
	if d.path != "/" {
		return nil, fmt.Errorf(`%w: its path is not "/"`, errIgnored)
	}
	return putMessage{environments: &d.environments, filters: &d.filters}, nil
}
