package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/orphans"
)

var rootHelp = `relayconf keeps a relay configured: it follows the auto-configuration stream that tells
which environments a relay serves, and with which keys.

These environment variables are for the commands that connect to the service: watch, serve and record. Of them,
cache show has those of the key, the cache and the log.
  AUTO_CONFIG_KEY      the auto-configuration key; --key-file is the other way to give it
  STREAM_URI           the service's base URI (default https://stream.launchdarkly.com)
  INIT_TIMEOUT         the default of --init-timeout
  PROXY_URL, PROXY_AUTH_USER, PROXY_AUTH_PASSWORD, PROXY_AUTH_DOMAIN, PROXY_AUTH_NTLM
                       a proxy; without PROXY_URL, HTTPS_PROXY, HTTP_PROXY and NO_PROXY count
  CACHE_FILE, CACHE_REDIS_URL
                       the defaults of --cache-file and --cache-redis of serve, watch and cache show
  FLEET_REDIS_URL      the default of --fleet-redis of serve
  PROXY_CA_CERTS       PEM files with further certificate authorities, separated by commas
  LOG_LEVEL            debug, info, warn, error or none (default info)
  NO_COLOR             if set, no colours; without a terminal there are none anyway
The log goes to standard error, and what a command is for to standard output.

` + exitCodesHelp()

const rootExample = `  # See what it does: no key and no network needed
  relayconf watch --demo

  # Follow your own stream
  AUTO_CONFIG_KEY=rel-... relayconf watch

  # Record it, and serve the recording to a relay under test
  AUTO_CONFIG_KEY=rel-... relayconf record mine.sse --duration 10m
  relayconf replay mine.sse`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "relayconf",
		Short:         "Follow, record and replay the auto-configuration stream of relays",
		Long:          rootHelp,
		Example:       rootExample,
		Version:       version(),
		SilenceErrors: true,
		// For each command that has none of its own.
		PersistentPreRunE: checkFlagGroups,
		SilenceUsage:      true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddCommand(newWatch(), newServe(), newReplay(), newRecord(), newFleet(), newCache(), newVersion())
	root.SetHelpCommand(newHelp())
	refuseUnknownShells(root)
	return root
}

// run runs the command line and returns the exit code.
func run(args []string) int {
	if orphans.Expected() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go orphans.Reap(ctx)
	}
	defer flushStderr(stderrGrace)
	root := newRoot()
	root.SetArgs(args)
	called, err := root.ExecuteC()
	printError(called, err, logsJSON(called, args))
	return exitCode(err)
}

// printError prints the error of a command, unless the log has it. A log in JSON has nothing but JSON.
func printError(called *cobra.Command, err error, inJSON bool) {
	var coded *exitError
	if err == nil || err.Error() == "" || errors.As(err, &coded) && coded.logged {
		return
	}
	text, usage := maskKeys(err.Error()), ""
	if exitCode(err) == exitUsage {
		usage = fmt.Sprintf("Run '%s --help' for usage.", called.CommandPath())
	}
	if inJSON {
		logger := logging.New(stderr, logging.JSON, ldlog.Error)
		if usage != "" {
			logger = logger.With("hint", usage)
		}
		text, details, several := strings.Cut(text, "\n")
		if several {
			logger = logger.With("details", logging.Lines(details))
		}
		logger.Error(text)
		return
	}
	fmt.Fprintln(stderr, "relayconf:", text)
	if usage != "" {
		fmt.Fprintln(stderr, usage)
	}
}

// logsJSON tells whether the command line asks for a log in JSON, also if it is wrong otherwise, so that it was not parsed.
func logsJSON(called *cobra.Command, args []string) bool {
	const flag = "--log-format"
	if called.Flags().Lookup(flag[2:]) == nil {
		return false
	}
	at := slices.Index(args, flag)
	return slices.Contains(args, flag+"="+logging.JSON) || at >= 0 && at+1 < len(args) && args[at+1] == logging.JSON
}

// command makes a function that may return any error one for cobra: an error without an exit code is an unexpected one. Flags
// and arguments that are empty are refused.
func command(run func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := refuseEmpty(cmd.Flags(), args)
		if err == nil {
			err = run(cmd, args)
		}
		var coded *exitError
		if err != nil && !errors.As(err, &coded) {
			return withCode(exitUnexpected, err)
		}
		return err
	}
}
