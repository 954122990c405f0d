package main

import (
	"log/slog"
	"slices"
	"sync"

	"github.com/relayconf/relayconf/hub"
)

// mostPatterns is how many patterns that match nothing are logged one by one.
const mostPatterns = 20

// patternLog warns of patterns of the key file that match nothing, once for as long as they match nothing.
type patternLog struct {
	mu   sync.Mutex
	last []hub.UnmatchedPattern
}

// check is called when the keys or the environments have changed.
func (l *patternLog) check(h *hub.Hub, logger *slog.Logger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := h.UnmatchedPatterns()
	fresh := slices.DeleteFunc(slices.Clone(now), func(p hub.UnmatchedPattern) bool { return slices.Contains(l.last, p) })
	l.last = now
	for _, p := range fresh[:min(len(fresh), mostPatterns)] {
		logger.Warn("A pattern in the key file matches nothing at the moment; is it mistyped?", "key", p.Key, "pattern", p.Pattern)
	}
	if more := len(fresh) - mostPatterns; more > 0 {
		logger.Warn("More patterns in the key file match nothing at the moment", "patterns", more)
	}
}

// checkPatterns warns of patterns that match nothing, as soon as there is a configuration to match.
func (s *server) checkPatterns() {
	if s.options.keys != "" && s.hub.Status().Ready {
		s.patterns.check(s.hub, s.logger)
	}
}
