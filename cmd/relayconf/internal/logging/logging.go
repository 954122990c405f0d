// Package logging makes the logs of the command: structured, as text or JSON, with times in UTC.
package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// The formats of a log.
const (
	Text = "text" // key=value pairs
	JSON = "json" // an object a line
)

// New returns a logger that writes the lines of the level or above to out. An unknown format counts as Text.
func New(out io.Writer, format string, level ldlog.LogLevel) *slog.Logger {
	options := &slog.HandlerOptions{Level: slogLevel(level), ReplaceAttr: inUTC}
	if format == JSON {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// inUTC writes times in UTC, with milliseconds.
func inUTC(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.StringValue(a.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return a
}

// Loggers returns loggers for code that uses package ldlog. They write the lines of the level or above to logger.
func Loggers(logger *slog.Logger, level ldlog.LogLevel) ldlog.Loggers {
	var loggers ldlog.Loggers
	for from := range levels {
		loggers.SetBaseLoggerForLevel(from, BaseLogger(logger, from))
	}
	loggers.SetMinLevel(level)
	return loggers
}

// BaseLogger returns the logger that package ldlog writes the lines of one level to. It takes the level name off them.
func BaseLogger(logger *slog.Logger, level ldlog.LogLevel) ldlog.BaseLogger {
	return lines{logger, levels[level], strings.ToUpper(level.Name()) + ": "}
}

var levels = map[ldlog.LogLevel]slog.Level{
	ldlog.Debug: slog.LevelDebug,
	ldlog.Info:  slog.LevelInfo,
	ldlog.Warn:  slog.LevelWarn,
	ldlog.Error: slog.LevelError,
}

// none is above every level.
const none = slog.LevelError + 100

func slogLevel(level ldlog.LogLevel) slog.Level {
	if l, found := levels[level]; found {
		return l
	}
	if level < ldlog.Debug {
		return slog.LevelDebug
	}
	return none
}

// lines is an ldlog.BaseLogger for one level.
type lines struct {
	logger *slog.Logger
	level  slog.Level
	prefix string // that package ldlog puts before each line
}

func (l lines) Println(values ...any) { l.log(strings.TrimSuffix(fmt.Sprintln(values...), "\n")) }

func (l lines) Printf(format string, values ...any) { l.log(fmt.Sprintf(format, values...)) }

func (l lines) log(text string) {
	ctx := context.Background()
	if !l.logger.Enabled(ctx, l.level) {
		return
	}
	record := slog.NewRecord(time.Now(), l.level, strings.TrimPrefix(text, l.prefix), 0)
	_ = l.logger.Handler().Handle(ctx, record)
}
