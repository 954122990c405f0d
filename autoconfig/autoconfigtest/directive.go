package autoconfigtest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	directivePrefix = ":!"
	escapedPrefix   = ":!!" // a comment that is meant to start with a bang
)

// appendDirective writes a directive in a line of its own.
func appendDirective(text []byte, it item, recorded time.Time) []byte {
	text = append(text, directivePrefix...)
	switch it.kind {
	case recordedItem:
		text = recorded.UTC().AppendFormat(append(text, "recorded "...), time.RFC3339Nano)
	case pauseItem:
		text = append(append(text, "pause "...), it.pause.String()...)
	case dropItem:
		text = append(text, "drop"...)
	case statusItem:
		text = strconv.AppendInt(append(text, "status "...), int64(it.status), 10)
	}
	return append(text, '\n')
}

// appendLine writes a line so that it is not taken for a directive.
func appendLine(text, line []byte) []byte {
	if after, found := bytes.CutPrefix(line, []byte(directivePrefix)); found {
		return append(append(text, escapedPrefix...), after...)
	}
	return append(text, line...)
}

// parseDirective parses a directive without its ":!". The time is that of a recorded directive.
func parseDirective(text string) (item, time.Time, error) {
	name, argument, _ := strings.Cut(text, " ")
	argument = strings.TrimSpace(argument)
	var none time.Time
	switch name {
	case "recorded":
		recorded, err := parseRecorded(argument)
		return item{kind: recordedItem}, recorded, err
	case "pause":
		pause, err := parsePause(argument)
		return item{kind: pauseItem, pause: pause}, none, err
	case "drop":
		if argument != "" {
			return item{}, none, fmt.Errorf("drop takes no argument, but there is %q", argument)
		}
		return item{kind: dropItem}, none, nil
	case "status":
		status, err := parseStatus(argument)
		return item{kind: statusItem, status: status}, none, err
	}
	return item{}, none, fmt.Errorf("there is no directive %q; known are pause, drop, status and recorded "+
		`(a comment that starts with "!" is written ":!!")`, name)
}

func parseRecorded(argument string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, argument)
	if err != nil {
		return time.Time{}, fmt.Errorf("recorded needs a time such as 2026-11-20T12:00:00Z, not %q", argument)
	}
	t = t.UTC()
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errors.New("the recorded time must be within the years 1 to 9999, UTC")
	}
	return t, nil
}

func parsePause(argument string) (time.Duration, error) {
	pause, err := time.ParseDuration(argument)
	if err != nil {
		return 0, fmt.Errorf("pause needs a duration such as 1.5s, not %q", argument)
	}
	if pause < 0 {
		return 0, fmt.Errorf("a pause can't be negative: %q", argument)
	}
	return pause, nil
}

func parseStatus(argument string) (int, error) {
	status, err := strconv.Atoi(argument)
	if err != nil || !isFinalStatus(status) {
		return 0, fmt.Errorf("status needs an HTTP status from 200 to 599, not %q", argument)
	}
	return status, nil
}
