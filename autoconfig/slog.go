package autoconfig

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// slogLoggers returns loggers that pass everything on to a slog.Logger.
func slogLoggers(logger *slog.Logger) ldlog.Loggers {
	loggers := ldlog.Loggers{}
	least := ldlog.Error
	for _, level := range []struct {
		ld ldlog.LogLevel
		sl slog.Level
	}{{ldlog.Error, slog.LevelError}, {ldlog.Warn, slog.LevelWarn}, {ldlog.Info, slog.LevelInfo}, {ldlog.Debug, slog.LevelDebug}} {
		loggers.SetBaseLoggerForLevel(level.ld, slogLine{logger, level.sl})
		if logger.Enabled(context.Background(), level.sl) {
			least = level.ld
		}
	}
	loggers.SetMinLevel(least)
	return loggers
}

// slogLine is an ldlog.BaseLogger for one level.
type slogLine struct {
	logger *slog.Logger
	level  slog.Level
}

// Println implements ldlog.BaseLogger.
func (l slogLine) Println(values ...any) {
	text := fmt.Sprintln(values...)
	l.logger.Log(context.Background(), l.level, text[:len(text)-1])
}

// Printf implements ldlog.BaseLogger.
func (l slogLine) Printf(format string, values ...any) {
	l.logger.Log(context.Background(), l.level, fmt.Sprintf(format, values...))
}
