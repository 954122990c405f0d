package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/keysource"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/show"
	"github.com/relayconf/relayconf/store"
)

var cacheShowHelp = `Prints what a cache of "relayconf watch" holds, and how old it is. Keys are masked: at most their last
four characters are shown. It only reads.

The cache is what --cache-file or --cache-redis names, or CACHE_FILE or CACHE_REDIS_URL. It is decrypted with
the auto-configuration key (AUTO_CONFIG_KEY or --key-file), or one of the --cache-older-key-file.

With --format json it is one object: formatVersion, savedAt, confirmedAt (when the service last confirmed it, as
with each keepalive), ageSeconds (since then), and environments and filters, sorted by id, with the fields that "relayconf watch --format json" gives them and their version. Keys that have expired
since are left out. Fields may be added, and none changes its meaning.

` + exitCodesHelp(exitInterrupted)

const cacheShowExample = `  relayconf cache show --cache-file /var/lib/relay/cache --key-file /run/secrets/auto-config-key

  # Is it younger than an hour?
  relayconf cache show --format json | jq -e '.ageSeconds < 3600'`

// peekLimit is how long the answer of a Redis server may take.
const peekLimit = 20 * time.Second

type cacheShowOptions struct {
	cache   cacheOptions
	keyFile string
	format  string
}

func newCache() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Look into the cache of the last known configuration",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCacheShow())
	return cmd
}

func newCacheShow() *cobra.Command {
	var o cacheShowOptions
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Print what a cache holds, with keys masked, and its age",
		Long:    cacheShowHelp,
		Example: cacheShowExample,
		Args:    arguments(),
		RunE:    command(func(*cobra.Command, []string) error { return cacheShow(o) }),
	}
	addCacheFlags(cmd, &o.cache)
	cmd.Flags().StringVar(&o.keyFile, "key-file", "", "`file` that holds the auto-configuration key; goes before AUTO_CONFIG_KEY")
	addFormat(cmd, &o.format)
	_ = cmd.MarkFlagFilename("key-file")
	return cmd
}

func cacheShow(o cacheShowOptions) error {
	environment, err := readEnvironment()
	if err != nil {
		return err
	}
	place := o.cache.orElse(environment.Cache)
	if place.File == "" && place.RedisURL == "" {
		return usageError("there is no cache to show: %w", errNoCache)
	}
	key, err := keysource.Read(o.keyFile, environment.AutoConfig.Key)
	if err != nil {
		return withCode(exitUsage, err)
	}
	cache, err := openCache(place, key, logging.Loggers(logging.New(stderr, logging.Text, environment.LogLevel), environment.LogLevel))
	if err != nil {
		return err
	}
	defer cache.Close()
	snapshot, err := peek(cache)
	if err != nil {
		return err
	}
	view := viewOf(snapshot, time.Now())
	if o.format == "json" {
		return view.writeJSON(os.Stdout)
	}
	return view.writeText(os.Stdout)
}

// peek reads a cache, which must hold something.
func peek(cache cache) (*autoconfig.Snapshot, error) {
	signals := catchSignals(context.Background(), "")
	defer signals.end()
	ctx, cancel := context.WithTimeout(signals.stop, peekLimit)
	defer cancel()
	snapshot, err := cache.Load(ctx)
	var unreadable *store.UnreadableError
	switch {
	case signals.stop.Err() != nil:
		return nil, withCode(exitInterrupted, errors.New("interrupted before the cache was read"))
	case errors.As(err, &unreadable):
		return nil, withCode(exitUsage, err)
	case err != nil:
		return nil, err
	case snapshot == nil:
		return nil, usageError("there is no cache in %s: nothing has been saved there yet, or its name is a mistake", cache)
	}
	return snapshot, nil
}

// cacheView is the content of a cache, as a start at this moment would use it. It is the JSON form, too.
type cacheView struct {
	FormatVersion int                 `json:"formatVersion"`
	SavedAt       envjson.Time        `json:"savedAt"`
	ConfirmedAt   envjson.Time        `json:"confirmedAt"`
	AgeSeconds    float64             `json:"ageSeconds"`
	Environments  []cachedEnvironment `json:"environments"`
	Filters       []cachedFilter      `json:"filters"`

	lines []string
}

type cachedEnvironment struct {
	envjson.Environment
	Version int `json:"version"`
}

type cachedFilter struct {
	envjson.Filter
	Version int `json:"version"`
}

func viewOf(snapshot *autoconfig.Snapshot, now time.Time) cacheView {
	confirmed := snapshot.LastConfirmed()
	age := max(0, now.Sub(confirmed))
	view := cacheView{
		FormatVersion: snapshot.FormatVersion,
		SavedAt:       envjson.Time(snapshot.SavedAt),
		ConfirmedAt:   envjson.Time(confirmed),
		AgeSeconds:    age.Seconds(),
		Environments:  []cachedEnvironment{},
		Filters:       []cachedFilter{},
		lines: []string{fmt.Sprintf("confirmed at %s, %s ago: %s", confirmed.UTC().Format(time.RFC3339), show.Age(age),
			show.Counts(len(snapshot.Environments), len(snapshot.Filters)))},
	}
	for _, id := range slices.Sorted(maps.Keys(snapshot.Environments)) {
		rep := snapshot.Environments[id]
		params := rep.ToParams().At(now)
		view.Environments = append(view.Environments, cachedEnvironment{envjson.FromEnvironment(params, envjson.Masked), rep.Version})
		view.lines = append(view.lines, fmt.Sprintf("%s, version %d", show.Environment(params), rep.Version))
	}
	for _, id := range slices.Sorted(maps.Keys(snapshot.Filters)) {
		rep := snapshot.Filters[id]
		params := rep.ToParams(id)
		view.Filters = append(view.Filters, cachedFilter{envjson.FromFilter(params), rep.Version})
		view.lines = append(view.lines, fmt.Sprintf("filter %s, version %d", show.Filter(params), rep.Version))
	}
	return view
}

func (v cacheView) writeJSON(out io.Writer) error {
	line, err := envjson.Line(v)
	if err == nil {
		_, err = out.Write(line)
	}
	return err
}

func (v cacheView) writeText(out io.Writer) error {
	_, err := io.WriteString(out, strings.Join(v.lines, "\n")+"\n")
	return err
}
