package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	prettytext "github.com/jedib0t/go-pretty/v6/text"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
)

var fleetWaitHelp = `Waits until all relays that are expected have applied a configuration, at one moment. Run it after the rotation of a key,
before the old key is deleted.

It waits for an environment at a version, or a later one (--environment, --version); for exactly a digest (--digest); or
else for the configuration that the hub has at the start, or a later one. The last counts only from the moment at which the
hub's upstream is VALID and has confirmed it; a change that has not reached the hub at the start is not waited for, so give
the version if you know it.

Expected are the relays that are named (--relay), or else all that are connected or were seen in the last 24 hours
(--seen-within); with --environment, of those the ones whose key shows it. Who is absent, behind or without an agent is
missing, and is named. --allow-unconfirmed counts a relay without agent as soon as it was sent everything.

It ends with exit code 0 only if nobody is missing. After the --timeout the code is 7 if relays are missing, and 8 if
nobody can say whether all have it: no relay at all, fewer than --min, a hub that sees only a part of the fleet (another
hub or Redis is down), that has just started without a cache and so does not know whom to expect, or whose upstream is not there.

--format json prints the outcome: result (applied, missing or inconclusive), done, total, missing (name, reason), problem.

` + exitCodesHelp(exitMissing, exitInconclusive, exitInterrupted)

type fleetWaitOptions struct {
	condition  fleet.Condition
	seenWithin time.Duration
	timeout    time.Duration
}

func newFleetWait(o *fleetOptions) *cobra.Command {
	w := fleetWaitOptions{timeout: 5 * time.Minute}
	cmd := &cobra.Command{
		Use:   "wait",
		Short: "Wait until all relays have applied a configuration",
		Long:  fleetWaitHelp,
		Example: `  relayconf fleet wait --environment 5f1b0c7e --version 42 --timeout 10m
  relayconf fleet wait --min 20 --format json
  relayconf fleet wait --relay relay-7 --relay relay-8`,
		Args: arguments(),
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			signals := catchSignals(context.Background(), "")
			defer signals.end()
			return w.run(signals.stop, *o, cmd.OutOrStdout(), newWaitBar())
		}),
	}
	flags := cmd.Flags()
	c := &w.condition
	flags.StringVar(&c.Environment, "environment", "", "wait for the environment with this `id`")
	flags.IntVar(&c.Version, "version", 0, "wait for this `version` of the environment, or a later one")
	flags.StringVar(&c.Digest, "digest", "", "wait for exactly the configuration with this `digest`")
	flags.StringArrayVar(&c.Relays, "relay", nil, "`name` of a relay to wait for, instead of all; may be repeated")
	flags.Var(atLeast(time.Second, &w.seenWithin), "seen-within", "expect relays that were seen within this time (default as serve has it: 24h)")
	flags.IntVar(&c.Min, "min", 0, "least `number` of relays")
	flags.BoolVar(&c.AllowUnconfirmed, "allow-unconfirmed", false, "count a relay without agent when it was sent everything")
	flags.Var(atLeast(time.Nanosecond, &w.timeout), "timeout", "how long to wait")
	addFormat(cmd, &o.format)
	markTogether(cmd, "environment", "version")
	markExclusive(cmd, "environment", "digest")
	_ = cmd.RegisterFlagCompletionFunc("relay", completeRelays(o, anyRelay))
	return cmd
}

func (w fleetWaitOptions) run(ctx context.Context, o fleetOptions, out io.Writer, bar *waitBar) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	w.condition.TimeoutSeconds, w.condition.SeenWithinSeconds = w.timeout.Seconds(), w.seenWithin.Seconds()
	// The hub counts the time, unless it hangs. It sends a line at least each 10 s.
	ctx, end := context.WithTimeoutCause(ctx, w.timeout+waitPatience, errHubLate)
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(waitSilence, func() { cancel(errHubSilent) })
	defer silence.Stop()
	response, err := client.open(ctx, fleet.WaitPath, nil, w.condition)
	if err != nil {
		return waitError(ctx, err)
	}
	defer response.Body.Close()
	defer bar.end()
	lines := json.NewDecoder(response.Body)
	for {
		var p fleet.Progress
		if err := lines.Decode(&p); err != nil {
			return waitError(ctx, fmt.Errorf("the hub was lost while waiting: %w", err))
		}
		silence.Reset(waitSilence)
		if p.Result != "" {
			bar.end()
			return outcome(p, o.format, out)
		}
		bar.show(p)
	}
}

const (
	waitSilence  = time.Minute
	waitPatience = 5 * time.Second // for the outcome after the timeout
)

var (
	errHubLate   = errors.New("nobody can say whether all relays have applied it: the hub did not answer within the --timeout")
	errHubSilent = fmt.Errorf("nobody can say whether all relays have applied it: the hub was silent for %s", waitSilence)
)

// waitError tells Ctrl-C and a hub that hangs from other ends.
func waitError(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); cause {
	case nil:
		return err
	case errHubLate, errHubSilent:
		return withCode(exitInconclusive, cause)
	default:
		return withCode(exitInterrupted, errors.New("interrupted before all relays had applied it"))
	}
}

// outcome prints how a wait has ended, and returns the error for it.
func outcome(p fleet.Progress, format string, out io.Writer) error {
	if format == "json" {
		if err := printJSON(out, p); err != nil {
			return err
		}
	}
	switch p.Result {
	case fleet.Applied:
		if format != "json" {
			text := fmt.Sprintf("All %d relays have applied it.", p.Total)
			if p.Total == 1 {
				text = "The one relay has applied it."
			}
			_, err := fmt.Fprintln(out, text)
			return err
		}
		return nil
	case fleet.Missing:
		return withCode(exitMissing, fmt.Errorf("%d of %d relays have applied it; missing:%s", p.Done, p.Total, missingText(p)))
	default:
		return withCode(exitInconclusive, fmt.Errorf("nobody can say whether all relays have applied it: %s%s", terminal.Plain(p.Problem), missingText(p)))
	}
}

func missingText(p fleet.Progress) string {
	var text strings.Builder
	for _, m := range p.Missing {
		fmt.Fprintf(&text, "\n  %s %s", terminal.Plain(m.Name), terminal.Plain(m.Reason))
	}
	return text.String()
}

// waitBar shows progress on a terminal, and nothing elsewhere.
type waitBar struct {
	width int // of the terminal; 0: there is none
	bar   *progressbar.ProgressBar
}

func newWaitBar() *waitBar { return &waitBar{width: terminalWidth(os.Stderr)} }

func (b *waitBar) show(p fleet.Progress) {
	if b.width == 0 {
		return
	}
	total := max(1, p.Total)
	if b.bar == nil {
		b.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionFullWidth(),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish())
	}
	b.bar.Describe(barText(p, b.width))
	b.bar.ChangeMax(total)
	_ = b.bar.Set(min(p.Done, total-1)) // a bar that is full is gone
}

// barText says who is waited for. It leaves room for the bar, unless the terminal has none.
func barText(p fleet.Progress, width int) string {
	text := p.Problem
	if len(p.Missing) > 0 {
		text = "waiting for " + p.Missing[0].Name
	}
	text = terminal.Plain(text)
	const bar, least = 16, 8 // columns: "100% |", some of the bar, "| ()"; a text
	count := len(fmt.Sprintf("%d/%d", p.Total, p.Total))
	if most := max(least, min(width/2, width-bar-count)); prettytext.StringWidth(text) > most {
		text = prettytext.Snip(text, most, "…")
	}
	return text
}

// end takes the bar away.
func (b *waitBar) end() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
	b.width, b.bar = 0, nil
}
