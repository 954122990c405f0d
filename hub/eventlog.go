package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"
)

const (
	// summaryInterval is the time between two lines about the same thing.
	summaryInterval = 10 * time.Second
	// maxEventKinds bounds the lines of an interval: random keys share one line beyond it.
	maxEventKinds = 100
	otherKeys     = "(others)"
	noKey         = "(none)"
)

// eventKind is something that happens to relays: one line tells of it at once, and one of all that follow in an interval.
type eventKind struct {
	level   slog.Level
	message string
	key     string // the key's name, or the beginning of its hash if it is unknown
	reason  string
}

// events are those of a kind since its last line.
type events struct {
	count   int
	address string // of the latest
}

// eventLog logs refusals and revocations, with sums, so that a herd does not flood the log. The zero value is ready.
type eventLog struct {
	mu     sync.Mutex
	kinds  map[eventKind]*events
	timer  *time.Timer // for the next summary; nil if none is due
	closed bool
}

// add logs an event, or counts it for the next summary.
func (l *eventLog) add(logger *slog.Logger, kind eventKind, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	known := l.kinds[kind]
	if known == nil && len(l.kinds) >= maxEventKinds {
		kind.key = otherKeys
		known = l.kinds[kind]
	}
	if known != nil {
		known.count++
		known.address = address
		return
	}
	kind.log(logger, "address", address)
	if l.kinds == nil {
		l.kinds = map[eventKind]*events{}
	}
	l.kinds[kind] = &events{}
	if l.timer == nil {
		l.timer = time.AfterFunc(summaryInterval, func() { l.summarize(logger) })
	}
}

func (l *eventLog) summarize(logger *slog.Logger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.flush(logger)
	l.timer = nil
	if len(l.kinds) > 0 {
		l.timer = time.AfterFunc(summaryInterval, func() { l.summarize(logger) })
	}
}

// flush logs the summaries. It forgets the kinds of which there was no event.
func (l *eventLog) flush(logger *slog.Logger) {
	for kind, seen := range l.kinds {
		if seen.count == 0 {
			delete(l.kinds, kind)
			continue
		}
		kind.log(logger, "times", seen.count, "within", summaryInterval, "lastAddress", seen.address)
		seen.count = 0
	}
}

// close logs the last summaries. Events that come later are not logged.
func (l *eventLog) close(logger *slog.Logger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.flush(logger)
	l.closed = true
}

func (k eventKind) log(logger *slog.Logger, args ...any) {
	args = append([]any{"key", k.key, "reason", k.reason}, args...)
	logger.Log(context.Background(), k.level, k.message, args...)
}

// unknownKeyName names an unknown key by the beginning of its SHA-256, which can be compared with those of a key file.
func unknownKeyName(key string) string {
	if key == "" {
		return noKey
	}
	hash := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(hash[:4]) + "…"
}
