package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/relayconf/relayconf/autoconfig"
)

const watchHelp = `Follows the auto-configuration stream and prints what changes, a line each. It goes on when the
service is down, and ends with Ctrl-C.

Lines are text for people, or with --format json one JSON object each. Keys are masked in both:
only their last four characters are shown.

JSON lines have "time" (RFC 3339, UTC) and "change", which says what other fields there are:
  added, removed        environment
  updated               environment, before, and changed: the names of the fields that differ
  key-expired, mobile-key-expired
                        environment, and key: what has expired
  filter-added, filter-removed
                        filter: id, projKey, key
  received-all          environments and filters: how many there are; source: stream or cache
  cache-loaded          environments: how many there are; ageSeconds. The changes that follow come from the cache
  stream-took-over      the changes that follow come from the stream; before, there was what the cache had
  keepalive             comment (with --verbose)
  interrupted           reason
  recovered             lostSeconds
An environment has id, projKey, projName, envKey, envName, sdkKey, mobileKey, expiringSdkKey (value and
expiry, or null), acceptedSdkKeys and acceptedMobileKeys (name, value, expiry or null), ttlSeconds and
secureMode. Fields may be added, and none changes its meaning.

--output-file keeps a JSON file of everything that is configured: format ("relayconf-environments"),
version (1), writtenAt, environments and filters, sorted by id. Keys in it are whole, and only its
owner may read it (mode 0600). It is written once the first full configuration is there and after
each change, and replaced in one step. If that fails, the log says so, and it is tried again.

--exec runs a command for each change of the configuration and for received-all, one at a time and in
order. It gets the change as on a JSON line, but with whole keys, on its standard input; never in
arguments or variables, which others can see. What it prints goes to standard error. The stream does not
wait for it: changes queue up without a limit, and the log warns when a thousand wait. A run that fails or
takes too long is logged, and the next change has its turn. The output file is up to date before each run.

--cache-file or --cache-redis (or CACHE_FILE, CACHE_REDIS_URL; a flag goes before both) keeps the last known
configuration, encrypted with the auto-configuration key, so that a start needs no service. What is cached
counts at once: it is printed, written to the output file and given to the hook, and when the stream is
there, only what differs is. A cache that can't be read or written is reported in the log, and
watch goes on without; one that is damaged or of another key stays until the service has accepted the key, and is
then set aside beside the new one. A file or a Redis key that holds something else is bad usage, and not touched. After
a change of the key between two runs, give the former one in --cache-older-key-file until the stream has been up.
Redis is for a fleet: redis://user:password@host:6379/0?prefix=team-a; rediss:// for TLS; redis+sentinel://
and redis+cluster:// too. Relays with different keys need different prefixes. See also relayconf cache --help.

--once waits for the stream also if there is a cache. Only when that takes longer than the --init-timeout
does it end with what the cache has: with a warning, and exit code 0. Without --once, a configuration from
the cache is in time for the --init-timeout. A rejected key ends the command with exit code 3 also if there
is a cache, after the output file and the hook have got what is in it.

SIGHUP reads the --key-file again: the new key is used at once, for the cache too, and what is known stays.
Ctrl-C or SIGTERM ends the command: a hook that is running gets 5 s to end, those that wait are not run, and
the cache (for at most 5 s) and the output file are brought up to date. A second Ctrl-C ends hook and command at once.

` + exitCodesHelp

const watchExample = `  # A show, without a key or a network
  relayconf watch --demo

  # Follow a stream; the key is in a file that can be replaced, followed by a SIGHUP
  relayconf watch --key-file /run/secrets/auto-config-key

  # Keep a file for a relay, and tell the relay after each change
  relayconf watch --output-file /etc/relay/environments.json --exec 'systemctl reload relay'

  # Start without the service, too
  relayconf watch --cache-file /var/lib/relay/cache --output-file /etc/relay/environments.json

  # Write the file once, and fail if that takes longer than half a minute
  relayconf watch --once --init-timeout 30s --output-file environments.json`

// watchOptions are the flags of watch.
type watchOptions struct {
	keyFile          string
	format           string
	verbose          bool
	once             bool
	demo             bool
	initTimeout      time.Duration
	outputFile       string
	hook             string
	hookTimeout      time.Duration
	retryRejectedKey bool
	readTimeout      time.Duration
	protocolVersion  int
	cache            cacheOptions
}

func newWatch() *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:     "watch",
		Short:   "Follow the stream and print what changes; write a file, run a hook",
		Long:    watchHelp,
		Example: watchExample,
		Args:    cobra.NoArgs,
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			if err := refuseEmpty(cmd.Flags()); err != nil {
				return err
			}
			if err := o.check(); err != nil {
				return err
			}
			return watch(o, cmd.Flags().Changed("init-timeout"))
		}),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.demo, "demo", false, "show a recorded stream with all that can happen; takes 17 s, no key, and no network")
	addKeyFile(flags, &o.keyFile)
	flags.StringVar(&o.format, "format", "text", "`format` of the lines: text or json")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show keepalives too")
	flags.BoolVar(&o.once, "once", false, "end when the stream's first full configuration is there, the output file is written and all hooks have run")
	flags.DurationVar(&o.initTimeout, "init-timeout", 0,
		"fail if the first full configuration takes longer than this; 0 is no limit (default INIT_TIMEOUT)")
	flags.StringVar(&o.outputFile, "output-file", "", "keep a JSON `file` of all environments, with whole keys")
	flags.StringVar(&o.hook, "exec", "", "run a shell `command` for each change, with the change as JSON on its input")
	flags.DurationVar(&o.hookTimeout, "exec-timeout", 30*time.Second, "longest time for one run of --exec, after which it is killed; 0 is no limit")
	flags.BoolVar(&o.retryRejectedKey, "retry-rejected-key", false, "go on trying with a rejected key, from 5 minutes to an hour apart, rather than end")
	flags.DurationVar(&o.readTimeout, "read-timeout", autoconfig.DefaultReadTimeout, "longest silence, keepalives included, before the stream counts as lost")
	flags.IntVar(&o.protocolVersion, "protocol-version", 2, "protocol `version` to ask for: 1, or 2 to see filters")
	addCacheFlags(cmd, &o.cache)
	for _, other := range []string{"key-file", "cache-file", "cache-redis", "cache-older-key-file"} {
		cmd.MarkFlagsMutuallyExclusive("demo", other)
	}
	_ = cmd.MarkFlagFilename("key-file")
	_ = cmd.MarkFlagFilename("output-file")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// refuseEmpty finds flags that were given nothing, as happens with a shell variable that is not set: to go on as if they had
// been left out would not be what was meant.
func refuseEmpty(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(flag *pflag.Flag) {
		if flag.Value.String() == "" && err == nil {
			err = usageError("--%s is empty: give it a value, or leave it out", flag.Name)
		}
	})
	return err
}

// check says what is wrong with the flags.
func (o watchOptions) check() error {
	switch {
	case o.format != "text" && o.format != "json":
		return usageError("--format must be text or json, not %q", o.format)
	case o.initTimeout < 0:
		return usageError("--init-timeout can't be negative: %s", o.initTimeout)
	case o.hookTimeout < 0:
		return usageError("--exec-timeout can't be negative: %s", o.hookTimeout)
	case o.readTimeout <= 0:
		return usageError("--read-timeout must be positive, not %s", o.readTimeout)
	case o.protocolVersion < 1:
		return usageError("--protocol-version must be 1 or more, not %d", o.protocolVersion)
	}
	return nil
}
