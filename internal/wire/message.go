package wire

import "github.com/relayconf/relayconf/internal/digest"

// The names of the events on the stream.
const (
	PutEvent       = "put"
	PatchEvent     = "patch"
	DeleteEvent    = "delete"
	ReconnectEvent = "reconnect"
)

// Item is an environment or a filter of a message.
type Item struct {
	ID      string // under which a put lists it, or from the path; it may be a part of Text
	Version int
	Text    string // the JSON text as received; see Environment and DecodeFilter

	// Misplaced: the environment's own envID is another than ID.
	Misplaced bool
	// Plain: the environment has one SDK key and no list of keys, and none that expires. There is nothing to validate.
	Plain bool
	// Provisional: the text was not received, but made of a stored environment by a version that may have known fewer
	// members. A text with the same version, from the service, is news if it says more.
	Provisional bool

	Hash   uint32        // of the ID: see Hash. Computed here, where the id is in the processor's cache
	Digest digest.Digest // of the item; zero if the decoder of a put has not computed it

	fields plainFields // of a plain environment; with a second scan of the text instead, a first put took 1.3 times as long
}

// Message is a decoded event: a *Put, a *Patch, a *Delete or a *Confirmed.
type Message interface{ isMessage() }

// Put replaces everything.
type Put struct {
	// The entries are in the order of the event. An id may be listed twice; then the last entry counts.
	Environments, Filters Entries
}

// Entry is a part of a put's list: an item, or a run of environments that are known and unchanged.
type Entry struct {
	Item
	Run Run // empty if this is an item
}

// Run is a run of environments that a put lists in the order in which they are known, each with the text under which it
// is known: the places From, From+1, ... up to but not including To. See Known.
type Run struct{ From, To uint32 }

// Patch adds or changes one item.
type Patch struct {
	Kind Kind
	Item Item
}

// Delete removes one item.
type Delete struct {
	Kind    Kind
	ID      string
	Version int
}

// Confirmed says that the configuration so far is the service's present one: see ConfirmedPath.
type Confirmed struct{}

func (*Put) isMessage()       {}
func (*Patch) isMessage()     {}
func (*Delete) isMessage()    {}
func (*Confirmed) isMessage() {}

// Known tells the decoder which environments are known, so that those whose text is the same need not be decoded. The
// decoder only asks.
type Known interface {
	// At returns the id and the text of the environment at a place, which counts from 0. The text is empty if there is
	// none.
	At(place int) (id, text string)
	// Place returns the place of an environment; -1 if it is not known.
	Place(id []byte) int
}

// Nothing is known.
type Nothing struct{}

// At implements Known.
func (Nothing) At(int) (id, text string) { return "", "" }

// Place implements Known.
func (Nothing) Place([]byte) int { return -1 }
