package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/ops"
)

var serveHelp = `Serves the configuration to a fleet of relays: it follows the service once, or reads files, and relays connect
here instead of to the service. To move a relay behind it, set the relay's STREAM_URI to this address.

The configuration comes from the stream (--stream-uri or STREAM_URI, with the key of AUTO_CONFIG_KEY or --key-file), or
with --environments from a file, or a folder of files, in YAML or JSON: a list "environments" of objects with id, projKey,
envKey and sdkKey, and perhaps projName, envName, mobileKey, expiringSdkKey (value, expiry), acceptedSdkKeys and
acceptedMobileKeys (name, value, expiry), ttlSeconds, secureMode and version; and a list "filters" of objects with
projKey and key. No two environments may have the same id, the same projKey and envKey, or a key in common. It is the form
of watch --output-file. The files are read again when they change. A file with a mistake changes nothing, and the log names
the line. Give the same cache in Redis to several hubs that read the same files.

Relays present the same key, AUTO_CONFIG_KEY, and see everything. SIGHUP reads the --key-file again; the former key
still counts for the --former-key-grace. Without a --key-file, SIGHUP ends serve as it ends most programs. A hub that has
a configuration goes on to serve it while the service rejects the key. With --keys, a YAML file gives each relay a key of
its own:
  keys:
    - name: eu                         # for logs
      key: rel-...                     # or keySha256, its SHA-256 in hexadecimal digits
      projects: [web, "shop-*"]        # what relays with it may see: projects,
      environments: ["api/prod*"]      # or environments of projects; without both, everything
      names: ["eu-*"]                  # names in the fleet that relays with it may take; without it, any
It is read again when it changes; what it revokes is closed at once.

With --cache-file or --cache-redis, the start needs no service: see relayconf watch --help.

Relays that keep a link (watch --link ws://HUB:8030/link) report the configuration they have applied: see
relayconf fleet --help. Their names are kept beside the cache, so that a hub that restarts knows whom to expect.

Several hubs make one fleet with --fleet-redis: each shows and calls the relays of all, and fleet wait waits for all. The
URLs are those of --cache-redis. The hubs need the same key (AUTO_CONFIG_KEY or --key-file), by which they know each other's
records, and each a --name of its own. What relays get does not depend on this Redis.

The page, /livez, /readyz, /status and /metrics are on --admin-addr, for operators on this machine; on another address it
needs an --admin-token-file, or client certificates (--admin-tls-client-ca). --health-addr is for probes and scrapers: it
has /livez, /readyz and /metrics only.

SIGTERM or Ctrl-C ends it in order: /readyz fails at once, relays are served for the --drain-delay more and then told,
one after the other within the --drain-time, to connect elsewhere. A second Ctrl-C ends it at once.
It tells systemd when it serves a configuration, and that it is alive (Type=notify, WatchdogSec).

` + exitCodesHelp(exitPermanent, exitInitTimeout, exitInterrupted)

const serveExample = `  # See it work: a hub, its page and three relays, no key and no network needed
  relayconf serve --demo

  # One hub between the service and a fleet, which starts without the service, too
  AUTO_CONFIG_KEY=rel-... relayconf serve --cache-file /var/lib/relayconf/cache
  STREAM_URI=http://hub:8030 AUTO_CONFIG_KEY=rel-... your-relay

  # Without a service: the configuration is kept in git
  AUTO_CONFIG_KEY=rel-... relayconf serve --environments environments/

  # With TLS, and a key for each relay
  relayconf serve --key-file key --keys keys.yaml --tls-cert hub.pem --tls-key hub-key.pem`

// serveOptions are the flags of serve.
type serveOptions struct {
	streamOptions
	streamURI    string
	environments string
	demo         bool
	logFormat    string
	cache        cacheOptions

	addr           string
	tlsCert        string
	tlsKey         string
	tlsClientCA    string
	maxConnections int

	hubName    string
	seenWithin time.Duration
	fleetRedis string

	keys            string
	formerKeyGrace  time.Duration
	unknownKeyGrace time.Duration

	adminAddr        string
	adminTokenFile   string
	adminTLSCert     string
	adminTLSKey      string
	adminTLSClientCA string
	adminHosts       []string
	healthAddr       string
	profiling        bool

	drainDelay time.Duration
	drainTime  time.Duration
}

func newServe() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the configuration to a fleet of relays, from the stream or from files",
		Long:    serveHelp,
		Example: serveExample,
		Args:    arguments(),
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return runServe(o, cmd.Flags().Changed("init-timeout"))
		}),
	}
	addServeFlags(cmd, &o)
	return cmd
}

func addServeFlags(cmd *cobra.Command, o *serveOptions) {
	o.formerKeyGrace, o.unknownKeyGrace = 24*time.Hour, 2*time.Minute
	o.seenWithin = fleet.DefaultSeenWithin
	o.drainDelay, o.drainTime = 5*time.Second, 30*time.Second
	flags := cmd.Flags()
	flags.BoolVar(&o.demo, "demo", false, "start a hub with three relays and its page, and show what changes reach them; takes 20 s, on a terminal until Ctrl-C; no key, no network")
	flags.StringVar(&o.streamURI, "stream-uri", "", "the service's base `URI`, or that of another hub (default STREAM_URI)")
	flags.StringVar(&o.environments, "environments", "", "take the configuration from this file or folder, at `path`, instead of the stream")
	addStreamFlags(flags, &o.streamOptions, "full configuration")
	_ = flags.MarkHidden("protocol-version") // a hub asks for all there is
	addCacheFlags(cmd, &o.cache)

	flags.StringVar(&o.addr, "addr", ":8030", "`address` that relays connect to")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "PEM `file` with the certificate for relays; read again when it changes")
	flags.StringVar(&o.tlsKey, "tls-key", "", "PEM `file` with its private key")
	flags.StringVar(&o.tlsClientCA, "tls-client-ca", "", "PEM `file` with authorities; relays then need a certificate of one of them")
	flags.IntVar(&o.maxConnections, "max-connections", 0, "most `connections` of relays; 0 is what the limit of open files allows")
	flags.StringVar(&o.hubName, "name", "", "`name` of this hub in the fleet (default the host's name)")
	flags.Var(atLeast(time.Minute, &o.seenWithin), "seen-within", "how long relays that are not connected are expected back, across restarts with a cache or --fleet-redis")
	flags.StringVar(&o.fleetRedis, "fleet-redis", "", "`URL` of a Redis server through which the hubs of a fleet know of each other; one with a password belongs in FLEET_REDIS_URL")
	flags.StringVar(&o.keys, "keys", "", "YAML `file` with a key for each relay, instead of one for all")
	flags.Var(atLeast(0, &o.formerKeyGrace), "former-key-grace", "how long relays may present the former key after a SIGHUP has changed it")
	flags.Var(atLeast(0, &o.unknownKeyGrace), "unknown-key-grace", "with --keys: how long an unknown key is put off before it is rejected, which is final for relays")

	flags.StringVar(&o.adminAddr, "admin-addr", "127.0.0.1:8031", "`address` for operators; none for no such listener")
	flags.StringVar(&o.adminTokenFile, "admin-token-file", "", "`file` with the token that operators need; this or --admin-tls-client-ca is required unless --admin-addr is of this machine alone")
	flags.StringVar(&o.adminTLSCert, "admin-tls-cert", "", "PEM `file` with the certificate for operators; read again when it changes")
	flags.StringVar(&o.adminTLSKey, "admin-tls-key", "", "PEM `file` with its private key")
	flags.StringVar(&o.adminTLSClientCA, "admin-tls-client-ca", "", "PEM `file` with authorities; operators then need a certificate of one of them")
	flags.StringSliceVar(&o.adminHosts, "admin-host", nil, "`name` that operators reach --admin-addr by, besides localhost; may be repeated")
	flags.StringVar(&o.healthAddr, "health-addr", "", "`address` for probes and scrapers")
	flags.BoolVar(&o.profiling, "profiling", false, "serve /debug/pprof/ to operators")
	flags.Var(atLeast(0, &o.drainDelay), "drain-delay", "at the end: how long relays are still served, so that load balancers notice")
	flags.Var(atLeast(time.Nanosecond, &o.drainTime), "drain-time", "at the end: the time over which relays are told to connect elsewhere")
	addLogFormat(cmd, &o.logFormat)

	for _, other := range []string{"stream-uri", "environments", "key-file", "cache-file", "cache-redis", "cache-older-key-file",
		"fleet-redis", "keys", "addr", "tls-cert", "admin-addr", "admin-tls-cert", "health-addr", "name"} {
		markExclusive(cmd, "demo", other)
	}
	markExclusive(cmd, "stream-uri", "environments")
	markTogether(cmd, "tls-cert", "tls-key")
	markTogether(cmd, "admin-tls-cert", "admin-tls-key")
	for _, file := range []string{"key-file", "environments", "keys", "tls-cert", "tls-key", "tls-client-ca", "admin-token-file", "admin-tls-cert",
		"admin-tls-key", "admin-tls-client-ca"} {
		_ = cmd.MarkFlagFilename(file)
	}
}

// addLogFormat adds the flag of each command that has a structured log.
func addLogFormat(cmd *cobra.Command, format *string) {
	formats := []string{logging.Text, logging.JSON}
	*format = logging.Text
	cmd.Flags().Var(&choiceValue{format, formats}, "log-format", "`format` of the log: text or json")
	_ = cmd.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// noAddr is the --admin-addr for no listener.
const noAddr = "none"

// check checks the flags that depend on each other.
func (o serveOptions) check() error {
	for _, listener := range []struct {
		flag, address string
		wanted        bool
	}{
		{"addr", o.addr, true},
		{"admin-addr", o.adminAddr, o.adminAddr != noAddr},
		{"health-addr", o.healthAddr, o.healthAddr != ""},
	} {
		if !listener.wanted {
			continue
		}
		if err := checkAddress(listener.flag, listener.address); err != nil {
			return err
		}
	}
	switch {
	case o.tlsClientCA != "" && o.tlsCert == "":
		return usageError("--tls-client-ca is of no use without --tls-cert and --tls-key")
	case o.adminTLSClientCA != "" && o.adminTLSCert == "":
		return usageError("--admin-tls-client-ca is of no use without --admin-tls-cert and --admin-tls-key")
	case o.adminAddr != noAddr && o.adminTokenFile == "" && o.adminTLSClientCA == "" && !ops.IsLoopback(o.adminAddr):
		return usageError("--admin-addr %s can be reached from other machines: give an --admin-token-file, or an --admin-tls-client-ca, "+
			"or an address of this machine alone, such as 127.0.0.1:8031", o.adminAddr)
	case o.maxConnections < 0:
		return usageError("--max-connections can't be negative: %d", o.maxConnections)
	}
	return nil
}
