package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
)

// textHandler writes a record for people: the time, the level, the message, and the attributes in parentheses. What has
// several lines follows below, indented, so that nobody takes one of them for a record.
type textHandler struct {
	out    io.Writer
	mu     *sync.Mutex // of out
	level  slog.Level
	prefix string // of the names of attributes: the groups
	attrs  []string
	blocks []string
}

func (h textHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h textHandler) Handle(_ context.Context, r slog.Record) error {
	message, rest, _ := strings.Cut(r.Message, "\n")
	h.attrs, h.blocks = h.attrs[:len(h.attrs):len(h.attrs)], h.blocks[:len(h.blocks):len(h.blocks)]
	if rest != "" {
		h.blocks = append(h.blocks, rest)
	}
	r.Attrs(func(a slog.Attr) bool {
		h.add(a)
		return true
	})
	var line strings.Builder
	fmt.Fprintf(&line, "%s %s: %s", r.Time.UTC().Format(terminal.TimeLayout), r.Level, message)
	if len(h.attrs) > 0 {
		fmt.Fprintf(&line, " (%s)", strings.Join(h.attrs, ", "))
	}
	for _, block := range h.blocks {
		line.WriteString("\n  " + strings.ReplaceAll(strings.TrimRight(block, "\n"), "\n", "\n  "))
	}
	line.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, line.String())
	return err
}

func (h textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs, h.blocks = h.attrs[:len(h.attrs):len(h.attrs)], h.blocks[:len(h.blocks):len(h.blocks)]
	for _, a := range attrs {
		h.add(a)
	}
	return h
}

func (h textHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

// add formats an attribute.
func (h *textHandler) add(a slog.Attr) {
	value := a.Value.Resolve()
	var text string
	switch value.Kind() {
	case slog.KindGroup:
		group := *h
		if a.Key != "" {
			group.prefix += a.Key + "."
		}
		for _, member := range value.Group() {
			group.add(member)
		}
		h.attrs, h.blocks = group.attrs, group.blocks
		return
	case slog.KindTime:
		text = value.Time().UTC().Format(terminal.TimeLayout)
	default:
		if lines, ok := value.Any().([]string); ok {
			text = strings.Join(lines, "\n")
		} else {
			text = value.String()
		}
	}
	switch {
	case a.Equal(slog.Attr{}):
	case strings.Contains(text, "\n"):
		h.blocks = append(h.blocks, text)
	default:
		h.attrs = append(h.attrs, h.prefix+a.Key+": "+text)
	}
}

// Lines returns an attribute's value for a text that may have several lines: in JSON, those are a list.
func Lines(text string) any {
	if lines := strings.Split(strings.TrimRight(text, "\n"), "\n"); len(lines) > 1 {
		return lines
	}
	return text
}

// inUTC writes times in UTC, with milliseconds.
func inUTC(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.StringValue(a.Value.Time().UTC().Format(terminal.TimeLayout))
	}
	return a
}
