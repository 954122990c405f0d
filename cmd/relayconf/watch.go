package main

import (
	"io/fs"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var watchHelp = `Follows the auto-configuration stream and prints what changes, a line each. It goes on when the
service is down, and ends with Ctrl-C.

Lines are text for people, or with --format json one JSON object each. Keys are masked in both:
at most their last four characters are shown.

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
  left-out              lines: how many lines are missing here, since nobody read them in time
  keepalive             comment (with --verbose)
  interrupted           reason
  recovered             lostSeconds
An environment has id, projKey, projName, envKey, envName, sdkKey, mobileKey, expiringSdkKey (value and
expiry, or null), acceptedSdkKeys and acceptedMobileKeys (name, value, expiry or null), ttlSeconds and
secureMode. Fields may be added, and none changes its meaning.

A reader of the lines that is slow or stalls holds nothing up: the lines wait, and when too many wait the
oldest are left out, which a line says. When standard output is closed, watch ends; if it can't be written
for another reason, the log says so, and watch goes on. With --once no line is left out.

--output-file keeps a JSON file of everything that is configured: format ("relayconf-environments"), version
(1), writtenAt, environments and filters, sorted by id. Keys in it are whole. It shows what the service has or
had, never a part of it: it is written when a full configuration was applied and after each change, and
replaced in one step. A file that is there keeps its permissions, and its owner and group where that is
possible; a new one has mode 0600; --output-mode sets it. If writing fails, the log says so, and it is tried
again.

--exec runs a command for changes of the configuration and for received-all, one run at a time and in order.
It gets them on its standard input, as on JSON lines, but with whole keys; never in arguments or variables,
which others can see. Without --exec-settle, each change has a run of its own and is one JSON object. With
--exec-settle, all changes are one run when there was none for that long, or after ten times as long, and are
a JSON list: so the first full configuration is one run, whatever its size. With --output-file, 1s is the
default: for a command that has a relay read the file again. --exec-settle 0 is a run for each change. What
the command prints goes to standard error. The stream does not wait for it: changes queue up without a limit,
and the log warns when a thousand wait. A run that fails or takes too long is logged, and the next has its
turn; with --once, the exit code is 6 then. The output file is up to date before each run.

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
is a cache, after the output file and the hook have got what is in it. An environment whose keys contradict each
other is left out; the rest counts: the log warns of it at the end, and the exit code is 0.

--link connects to a hub (relayconf serve), which then knows what this relay has applied, and can call it: to show its
status and its environments (keys masked), to have it reconnect, and to set its log level. A lost link changes nothing
else. The output file is written soon after a change was applied, and hooks run when it is their turn: neither counts
as applied. The hub closes the link of a name that another relay has already.

SIGHUP reads the --key-file again: the new key is used at once, for the cache too, and what is known stays.
Without a --key-file, SIGHUP ends watch as it ends most programs.

Ctrl-C or SIGTERM ends the command: a hook that is running gets SIGTERM, and 5 s to end; those that wait are
not run; and the cache (for at most 5 s) and the output file are brought up to date. A second Ctrl-C ends hook
and command at once. As process 1 of a container, watch also reaps processes that a hook left behind.

--health-addr serves /livez, /readyz (200 while there is a configuration in force; it says if that is stale or from the
cache, or if the key is rejected), /status and /metrics, without any key. watch tells systemd when there is a configuration,
and that it is alive (Type=notify, WatchdogSec).

` + exitCodesHelp(exitPermanent, exitInitTimeout, exitOutput, exitHook, exitInterrupted)

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
	streamOptions
	format      string
	verbose     bool
	once        bool
	demo        bool
	outputFile  string
	outputMode  fs.FileMode
	hook        string
	hookTimeout time.Duration
	hookSettle  time.Duration
	cache       cacheOptions
	logFormat   string
	healthAddr  string
	link        string
	name        string
}

// defaultSettle is the --exec-settle for a hook that has a relay read its file again.
const defaultSettle = time.Second

func newWatch() *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:     "watch",
		Short:   "Follow the stream and print what changes; write a file, run a hook",
		Long:    watchHelp,
		Example: watchExample,
		Args:    arguments(),
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd.Flags()); err != nil {
				return err
			}
			return watch(o, cmd.Flags().Changed("init-timeout"))
		}),
	}
	addWatchFlags(cmd, &o)
	return cmd
}

func addWatchFlags(cmd *cobra.Command, o *watchOptions) {
	o.hookTimeout = 30 * time.Second
	flags := cmd.Flags()
	flags.BoolVar(&o.demo, "demo", false, "show a recorded stream with all that can happen; takes 17 s, no key, and no network")
	addStreamFlags(flags, &o.streamOptions, "full configuration")
	addFormat(cmd, &o.format)
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show keepalives too")
	flags.BoolVar(&o.once, "once", false, "end when the stream's first full configuration is there, the output file is written and all hooks have run")
	flags.StringVar(&o.outputFile, "output-file", "", "keep a JSON `file` of all environments, with whole keys")
	flags.Var((*modeValue)(&o.outputMode), "output-mode", "permissions of the output file (default those it has; 0600 if it is new)")
	flags.StringVar(&o.hook, "exec", "", "run a shell `command` for changes, with them as JSON on its input")
	flags.Var(atLeast(0, &o.hookTimeout), "exec-timeout", "longest time for one run of --exec, after which it is killed; 0 is no limit")
	flags.Var(atLeast(0, &o.hookSettle), "exec-settle",
		"run --exec once for all changes, when there was none for this long; 0 is a run for each (default 1s with --output-file, else 0)")
	addCacheFlags(cmd, &o.cache)
	flags.StringVar(&o.link, "link", "", "keep a link to the hub at this `URI`, such as ws://hub:8030/link, so that operators of the fleet see this relay")
	flags.StringVar(&o.name, "name", "", "with --link: `name` of this relay in the fleet (default the host's name)")
	flags.StringVar(&o.healthAddr, "health-addr", "", "`address` for probes and scrapers: /livez, /readyz, /status, /metrics")
	addLogFormat(cmd, &o.logFormat)
	for _, other := range []string{"key-file", "cache-file", "cache-redis", "cache-older-key-file", "link"} {
		markExclusive(cmd, "demo", other)
	}
	_ = cmd.MarkFlagFilename("key-file")
	_ = cmd.MarkFlagFilename("output-file")
	completeProtocolVersion(cmd)
}

// check says which flags make no sense together, and fills in the default that depends on others.
func (o *watchOptions) check(flags *pflag.FlagSet) error {
	if o.healthAddr != "" {
		if err := checkAddress("health-addr", o.healthAddr); err != nil {
			return err
		}
	}
	switch {
	case o.outputMode != 0 && o.outputFile == "":
		return usageError("--output-mode is of no use without --output-file")
	case o.name != "" && o.link == "":
		return usageError("--name is of no use without --link")
	case flags.Changed("exec-settle") && o.hook == "":
		return usageError("--exec-settle is of no use without --exec")
	case !flags.Changed("exec-settle") && o.outputFile != "":
		o.hookSettle = defaultSettle
	}
	return nil
}
