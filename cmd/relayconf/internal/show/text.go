// Package show prints changes for people, a line each.
package show

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
	"github.com/relayconf/relayconf/envfactory"
)

// The layouts of a line's time, which is in UTC. A person at a terminal knows the day; a log file does not.
const (
	ClockOnly   = "15:04:05Z07:00"
	DateAndTime = "2006-01-02T15:04:05Z07:00"
)

// Text writes changes as text.
type Text struct {
	Colour bool   // with ANSI colours
	Layout string // of the time; default DateAndTime
}

// Line returns the line for a change, with the line feed. Keys are masked, and characters that could steer a terminal
// are replaced.
func (t Text) Line(c change.Change) string {
	layout := t.Layout
	if layout == "" {
		layout = DateAndTime
	}
	verb, rest := words(c)
	if sentence(c.Kind) {
		verb, rest = join(verb, rest), ""
	} else {
		verb += strings.Repeat(" ", max(0, verbWidth-len(verb))+1)
	}
	return t.paint(c.Time.UTC().Format(layout), color.Faint) + "  " + t.paint(verb, colours[c.Kind]...) + rest + "\n"
}

// verbWidth is how wide the column of the verbs is.
const verbWidth = len("updated ")

// words splits a change into a verb and its object.
func words(c change.Change) (verb, rest string) {
	switch c.Kind {
	case change.Added:
		return "added", Environment(c.Env)
	case change.Updated:
		differences := change.Differences(c.Before, c.Env)
		if len(differences) == 0 {
			differences = []string{"nothing that can be seen"}
		}
		return "updated", label(c.Env) + ": " + strings.Join(differences, "; ")
	case change.Removed:
		return "removed", named(c.Env)
	case change.KeyExpired:
		return "expired", fmt.Sprintf("key %s of %s", terminal.Plain(c.SDKKey.String()), label(c.Env))
	case change.MobileKeyExpired:
		return "expired", fmt.Sprintf("mobile key %s of %s", terminal.Plain(c.MobileKey.String()), label(c.Env))
	case change.FilterAdded:
		return "added", "filter " + Filter(c.Filter)
	case change.FilterRemoved:
		return "removed", "filter " + Filter(c.Filter)
	case change.ReceivedAll:
		text := "received all: "
		if c.FromCache {
			text = "received all from the cache: "
		}
		return text + Counts(c.Environments, c.Filters), ""
	case change.KeepAlive:
		return "keepalive", terminal.Plain(strings.TrimSpace(c.Comment))
	case change.Interrupted:
		return "interrupted:", terminal.Plain(c.Reason)
	case change.Recovered:
		return "recovered", "after " + elapsed(c.Lost)
	case change.CacheLoaded:
		return "started from the cache:", fmt.Sprintf("%s, confirmed %s ago", count(c.Environments, "environment"), Age(c.Age))
	case change.StreamTookOver:
		return "the stream has taken over from the cache", ""
	case change.LeftOut:
		return "left out:", count(c.Lines, "line") + ", as standard output was not read in time"
	default:
		return string(c.Kind), ""
	}
}

// sentence tells whether a line has no column of verbs but reads as one sentence.
func sentence(kind change.Kind) bool {
	switch kind {
	case change.ReceivedAll, change.KeepAlive, change.Interrupted, change.Recovered, change.CacheLoaded,
		change.StreamTookOver, change.LeftOut:
		return true
	default:
		return false
	}
}

// colours are the colours of the verbs.
var colours = map[change.Kind][]color.Attribute{
	change.Added:            {color.FgGreen},
	change.Updated:          {color.FgYellow},
	change.Removed:          {color.FgRed},
	change.KeyExpired:       {color.FgMagenta},
	change.MobileKeyExpired: {color.FgMagenta},
	change.FilterAdded:      {color.FgGreen},
	change.FilterRemoved:    {color.FgRed},
	change.ReceivedAll:      {color.FgCyan},
	change.KeepAlive:        {color.Faint},
	change.Interrupted:      {color.FgRed, color.Bold},
	change.Recovered:        {color.FgGreen, color.Bold},
	change.CacheLoaded:      {color.FgYellow, color.Bold},
	change.StreamTookOver:   {color.FgGreen, color.Bold},
	change.LeftOut:          {color.FgRed, color.Bold},
}

func (t Text) paint(text string, colour ...color.Attribute) string {
	if !t.Colour {
		return text
	}
	style := color.New(colour...)
	style.EnableColor()
	return style.Sprint(text)
}

func join(verb, rest string) string {
	if rest == "" {
		return verb
	}
	return verb + " " + rest
}

// Counts says how many environments and filters there are.
func Counts(environments, filters int) string {
	text := count(environments, "environment")
	if filters > 0 {
		text += ", " + count(filters, "filter")
	}
	return text
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// label names an environment as people know it; by its id if the service gave no names.
func label(p envfactory.EnvironmentParams) string {
	if p.Identifiers.ProjKey == "" && p.Identifiers.EnvKey == "" {
		return terminal.Plain(string(p.EnvID))
	}
	return terminal.Plain(p.Identifiers.ProjKey + "/" + p.Identifiers.EnvKey)
}

// named is the label with the name and the id.
func named(p envfactory.EnvironmentParams) string {
	if p.Identifiers.ProjKey == "" && p.Identifiers.EnvKey == "" {
		return label(p)
	}
	return fmt.Sprintf("%s %s (%s)", label(p), strconv.Quote(p.Identifiers.EnvName), shortID(string(p.EnvID)))
}

// Filter names a filter.
func Filter(p envfactory.FilterParams) string {
	if p.Key == "" {
		return terminal.Plain(string(p.ID))
	}
	return fmt.Sprintf("%s of project %s (%s)", terminal.Plain(string(p.Key)), terminal.Plain(p.ProjKey), terminal.Plain(string(p.ID)))
}

// Environment names and describes an environment, with keys masked.
func Environment(p envfactory.EnvironmentParams) string {
	return named(p) + "  " + strings.Join(change.Summary(p), ", ")
}

// shortID shows both ends of a long id. The JSON format has it whole.
func shortID(id string) string {
	const ends = 4
	if !utf8.ValidString(id) || utf8.RuneCountInString(id) <= 2*ends+1 {
		return terminal.Plain(id)
	}
	runes := []rune(id)
	return terminal.Plain(string(runes[:ends])) + "…" + terminal.Plain(string(runes[len(runes)-ends:]))
}

// elapsed rounds to a precision that suits people.
func elapsed(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return change.Duration(d.Round(time.Second))
	}
}

// Age writes how old something is in one unit, which is all that people want to know: 8s, 2m, 5h, 12 days.
func Age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return "less than 1s"
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < time.Hour:
		return change.Duration(d.Truncate(time.Minute))
	case d < 2*day:
		return change.Duration(d.Truncate(time.Hour))
	default:
		return count(int(d/day), "day")
	}
}
