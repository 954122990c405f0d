package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// structuredLog passes a structured log on to loggers, so that the log of watch has one format.
type structuredLog struct {
	loggers ldlog.Loggers
	attrs   []slog.Attr
}

func structuredLogger(loggers ldlog.Loggers) *slog.Logger {
	return slog.New(structuredLog{loggers: loggers})
}

func (l structuredLog) Enabled(context.Context, slog.Level) bool { return true }

func (l structuredLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.attrs = append(l.attrs[:len(l.attrs):len(l.attrs)], attrs...)
	return l
}

func (l structuredLog) WithGroup(string) slog.Handler { return l }

func (l structuredLog) Handle(_ context.Context, r slog.Record) error {
	text := []string{}
	add := func(a slog.Attr) bool {
		text = append(text, fmt.Sprintf("%s: %v", a.Key, a.Value))
		return true
	}
	for _, a := range l.attrs {
		add(a)
	}
	r.Attrs(add)
	line := r.Message
	if len(text) > 0 {
		line += " (" + strings.Join(text, ", ") + ")"
	}
	to := ldlog.Error
	switch {
	case r.Level < slog.LevelInfo:
		to = ldlog.Debug
	case r.Level < slog.LevelWarn:
		to = ldlog.Info
	case r.Level < slog.LevelError:
		to = ldlog.Warn
	}
	l.loggers.ForLevel(to).Println(line)
	return nil
}
