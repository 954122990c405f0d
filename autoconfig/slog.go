package autoconfig

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// slogLevels are the levels of ldlog and their like in slog, the most severe first.
var slogLevels = []struct {
	ld ldlog.LogLevel
	sl slog.Level
}{
	{ldlog.Error, slog.LevelError}, {ldlog.Warn, slog.LevelWarn}, {ldlog.Info, slog.LevelInfo}, {ldlog.Debug, slog.LevelDebug},
}

// slogLoggers returns loggers that pass everything on to a slog.Logger.
func slogLoggers(logger *slog.Logger) ldlog.Loggers {
	loggers := ldlog.Loggers{}
	least := ldlog.None
	for _, level := range slogLevels {
		prefix := strings.ToUpper(level.ld.Name()) + ": "
		loggers.SetBaseLoggerForLevel(level.ld, slogLine{logger, level.sl, prefix})
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
	prefix string // ldlog puts the name of the level before each line; slog has it apart
}

// Println implements ldlog.BaseLogger.
func (l slogLine) Println(values ...any) {
	text := fmt.Sprintln(values...)
	l.log(text[:len(text)-1])
}

// Printf implements ldlog.BaseLogger.
func (l slogLine) Printf(format string, values ...any) { l.log(fmt.Sprintf(format, values...)) }

func (l slogLine) log(text string) {
	l.logger.Log(context.Background(), l.level, strings.TrimPrefix(text, l.prefix))
}
