// Package logging makes the logs of the command: structured, as text or JSON, with times in UTC.
package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// The formats of a log.
const (
	Text = "text" // for people
	JSON = "json" // an object a line, for programs
)

// New returns a logger that writes the lines of the level or above to out. An unknown format counts as Text.
func New(out io.Writer, format string, level ldlog.LogLevel) *slog.Logger {
	if format == JSON {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: Level(level), ReplaceAttr: inUTC}))
	}
	return slog.New(textHandler{out: out, mu: new(sync.Mutex), level: Level(level)})
}

// Loggers returns loggers for code that uses package ldlog. They write the lines of the level or above to logger.
func Loggers(logger *slog.Logger, level ldlog.LogLevel) ldlog.Loggers {
	var loggers ldlog.Loggers
	for from := range levels {
		loggers.SetBaseLoggerForLevel(from, lines{logger, levels[from], strings.ToUpper(from.Name()) + ": "})
	}
	loggers.SetMinLevel(level)
	return loggers
}

var levels = map[ldlog.LogLevel]slog.Level{
	ldlog.Debug: slog.LevelDebug,
	ldlog.Info:  slog.LevelInfo,
	ldlog.Warn:  slog.LevelWarn,
	ldlog.Error: slog.LevelError,
}

// none is above every level.
const none = slog.LevelError + 100

// Level returns the level of package log/slog that stands for one of package ldlog.
func Level(level ldlog.LogLevel) slog.Level {
	if l, found := levels[level]; found {
		return l
	}
	if level < ldlog.Debug {
		return slog.LevelDebug
	}
	return none
}

// lines is an ldlog.BaseLogger for one level. It takes the name of the level off the lines.
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
