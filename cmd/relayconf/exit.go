package main

import (
	"errors"
	"fmt"
	"io/fs"
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

const exitCodesHelp = `Exit codes:
  0    done; also when ended by Ctrl-C or SIGTERM
  1    an unexpected failure
  2    bad usage or configuration: flags, variables, key file, recording; for cache show, no usable cache
  3    a permanent failure, such as a key that the service rejects
  4    no full configuration within the --init-timeout, from the stream or a cache
  5    the output file could not be brought up to date before the end
  6    with --once, the command of --exec failed or took too long
  7    fleet wait: not all relays have applied it; those that are missing are named
  8    fleet wait: nobody can say whether all relays have applied it
  130  Ctrl-C before --once was done, or a second Ctrl-C, which ends at once
  141  standard output was closed, as by "| head"`

// exitError is an error with the exit code that it leads to.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

func usageError(format string, args ...any) error {
	return withCode(exitUsage, fmt.Errorf(format, args...))
}

// exitCode is for what a command returned. Commands wrap what they return (see command), so an error without a code
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
