package page

import "time"

// kind is the kind of a log entry.
type kind string

const (
	kindAdded         kind = "added"
	kindUpdated       kind = "updated"
	kindRemoved       kind = "removed"
	kindKeyExpired    kind = "key-expired"
	kindConfiguration kind = "configuration" // many environments at once
	kindUpstream      kind = "upstream"
	kindRelay         kind = "relay"
	kindLate          kind = "late" // a relay has been behind for lateAfter
)

// entry is a line of the log.
type entry struct {
	Number  uint64 `json:"number"` // counts from 1
	Time    Time   `json:"time"`
	Kind    kind   `json:"kind"`
	Subject string `json:"subject"` // an environment or a relay; may be empty
	Text    string `json:"text"`
}

// maxEntries is the length of the log. The page shows as many.
const maxEntries = 500

// changeLog keeps the latest entries.
type changeLog struct {
	entries []entry // oldest first
	last    uint64
}

func (l *changeLog) add(now time.Time, k kind, subject, text string) entry {
	l.last++
	e := entry{Number: l.last, Time: At(now), Kind: k, Subject: subject, Text: text}
	if len(l.entries) == maxEntries {
		l.entries = append(l.entries[:0], l.entries[1:]...)
	}
	l.entries = append(l.entries, e)
	return e
}
