package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// The exit codes. They are stable, and listed in the help.
const (
	exitOK           = 0   // done; also after Ctrl-C or SIGTERM
	exitUnexpected   = 1   // something that should not happen
	exitUsage        = 2   // bad flags, variables, key file or recording
	exitPermanent    = 3   // the service rejected the key, or there is no use in trying again for another reason
	exitInitTimeout  = 4   // no full configuration within the --init-timeout
	exitOutput       = 5   // the output file could not be brought up to date before the end
	exitHook         = 6   // with --once, a hook failed
	exitMissing      = 7   // fleet wait: relays are missing
	exitInconclusive = 8   // fleet wait: nobody can say whether all relays have it
	exitInterrupted  = 130 // Ctrl-C before --once was done, or a second Ctrl-C
	exitClosed       = 141 // standard output was closed; the code that a shell gives for SIGPIPE
)

// errClosedOutput ends a command whose standard output nobody can read any more. People know that, so it says nothing.
var errClosedOutput = withCode(exitClosed, errors.New(""))

// exitTexts are the meanings of exit codes, for the help.
var exitTexts = []struct {
	code int
	text string
}{
	{exitOK, "done; also when ended by Ctrl-C or SIGTERM"},
	{exitUnexpected, "an unexpected failure"},
	{exitUsage, "bad usage or configuration: flags, variables, files that were named"},
	{exitPermanent, "a permanent failure, such as a key that the service rejects"},
	{exitInitTimeout, "no full configuration within the --init-timeout, from the stream or a cache; for record, no event"},
	{exitOutput, "the output file could not be brought up to date before the end"},
	{exitHook, "with --once, the command of --exec failed or took too long"},
	{exitMissing, "fleet wait: not all relays have applied it; those that are missing are named"},
	{exitInconclusive, "fleet wait: nobody can say whether all relays have applied it"},
	{exitInterrupted, "Ctrl-C before the command was done, or a second Ctrl-C, which ends it at once"},
	{exitClosed, `standard output was closed, as by "| head"`},
}

// exitCodesHelp is the part of the help about the exit codes that a command can end with; all if none are given. Every command
// can end with 0, 1, 2 and 141.
func exitCodesHelp(codes ...int) string {
	var text strings.Builder
	text.WriteString("Exit codes:")
	for _, exit := range exitTexts {
		switch exit.code {
		case exitOK, exitUnexpected, exitUsage, exitClosed:
		default:
			if len(codes) > 0 && !slices.Contains(codes, exit.code) {
				continue
			}
		}
		fmt.Fprintf(&text, "\n  %-4d %s", exit.code, exit.text)
	}
	return text.String()
}

// exitError is an error with the exit code that it leads to.
type exitError struct {
	code   int
	err    error
	logged bool // the log says it
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: code, err: err}
}

// logged says that the log has the error, so that it is not printed again.
func logged(err error) error {
	if err == nil {
		return nil
	}
	code := exitUnexpected
	var coded *exitError
	if errors.As(err, &coded) {
		code = coded.code
	}
	return &exitError{code: code, err: err, logged: true}
}

func usageError(format string, args ...any) error {
	return withCode(exitUsage, fmt.Errorf(format, args...))
}

// exitCode is for the error of a command. Commands wrap their errors (see command), so an error without a code
// comes from cobra: from the parsing of the command line, or from its own completion command that could not write.
func exitCode(err error) int {
	var withCode *exitError
	var write *fs.PathError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &withCode):
		return withCode.code
	case errors.As(err, &write):
		return exitUnexpected
	default:
		return exitUsage
	}
}
