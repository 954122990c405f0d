package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	prettytext "github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
)

func newFleetList(o *fleetOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the relays, and whether each is up to date",
		Long: `Lists the relays that are connected, and those that were seen within the --seen-within of serve.

SYNC is "in sync" if the relay has applied what it should have; "behind" and for how long, if not; "sent" if it has no agent
and was sent everything; "absent" if it is not connected. RTT is the time of a round trip to it. HUB, if there are several, is
the hub that it is connected to.

--format json prints hub, complete, incomplete (why), hubs (name, connected, since; if there are several), and relays: a list of objects with name, connected, agent, inSync, sent, behindSeconds,
roundTripSeconds, address, version, since, status, hub, key, digest and wantDigest. Members may be added.`,
		Example: `  relayconf fleet list
  relayconf fleet list --format json | jq -r '.relays[] | select(.inSync | not) | .name'`,
		Args: arguments(),
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			return runFleetList(cmd.Context(), *o, cmd.OutOrStdout(), terminalWidth(cmd.OutOrStdout()))
		}),
	}
	addFormat(cmd, &o.format)
	return cmd
}

func runFleetList(ctx context.Context, o fleetOptions, out io.Writer, width int) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	var list fleet.ListJSON
	if err := client.get(ctx, fleet.RelaysPath, nil, &list); err != nil {
		return err
	}
	if o.format == "json" {
		return printJSON(out, list)
	}
	return printRelays(out, list, width, time.Now())
}

func newFleetShow(o *fleetOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a relay: its status, and by which environments it is behind",
		Example: `  relayconf fleet show relay-7
  relayconf fleet show relay-7 --format json`,
		Args:              arguments("NAME"),
		ValidArgsFunction: firstArgument(completeRelays(o, anyRelay)),
		RunE: command(func(cmd *cobra.Command, args []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			var relay fleet.RelayJSON
			if err := client.get(cmd.Context(), fleet.RelayPath, url.Values{"name": args}, &relay); err != nil {
				return err
			}
			if o.format == "json" {
				return printJSON(cmd.OutOrStdout(), relay)
			}
			return printRelay(cmd.OutOrStdout(), relay, time.Now())
		}),
	}
	addFormat(cmd, &o.format)
	return cmd
}

// printRelays prints a table that is as wide as a terminal at most. With a width of 0 it has everything.
func printRelays(out io.Writer, list fleet.ListJSON, width int, now time.Time) error {
	shown := "No relay is connected, and none was seen.\n"
	if len(list.Relays) > 0 {
		shown = relayTable(list, width, now) + "\n"
	}
	if !list.Complete {
		shown += "Relays may be missing: " + terminal.Plain(list.Incomplete) + "\n"
	}
	_, err := io.WriteString(out, shown)
	return err
}

// Columns of the table, by number.
const (
	nameColumn = iota + 1
	syncColumn
	addressColumn
	sinceColumn
	roundTripColumn
	versionColumn
	hubColumn
)

// leftOut are the columns that a narrow terminal goes without, the first one first.
var leftOut = []int{versionColumn, addressColumn, roundTripColumn, sinceColumn, hubColumn}

// relayTable leaves out columns until the table fits, and then cuts names.
func relayTable(list fleet.ListJSON, width int, now time.Time) string {
	t, columns := newTable(), versionColumn
	if len(list.Hubs) > 0 {
		columns = hubColumn
	}
	t.AppendHeader(table.Row{"NAME", "SYNC", "ADDRESS", "SINCE", "RTT", "VERSION", "HUB"}[:columns])
	for _, r := range list.Relays {
		t.AppendRow(table.Row{terminal.Plain(r.Name), syncText(r), terminal.Plain(r.Address), agoText(r.Since, now), roundTripText(r),
			terminal.Plain(r.Version), terminal.Plain(r.Hub)}[:columns])
	}
	shown := t.Render()
	over := func() int { return prettytext.LongestLineLen(shown) - width }
	if width <= 0 {
		return shown
	}
	var configs []table.ColumnConfig
	for i := 0; i < len(leftOut) && over() > 0; i++ {
		configs = append(configs, table.ColumnConfig{Number: leftOut[i], Hidden: true})
		t.SetColumnConfigs(configs)
		shown = t.Render()
	}
	if over() <= 0 {
		return shown
	}
	const least = 4 // characters of a name
	longest := 0
	for _, r := range list.Relays {
		longest = max(longest, prettytext.StringWidth(terminal.Plain(r.Name)))
	}
	t.SetColumnConfigs(append(configs, table.ColumnConfig{Number: nameColumn, WidthMax: max(least, longest-over()),
		WidthMaxEnforcer: func(name string, most int) string { return prettytext.Snip(name, most, "…") }}))
	return t.Render()
}

func newTable() table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t
}

// terminalWidth is the width of a terminal in columns, and 0 for anything else.
func terminalWidth(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func syncText(r fleet.RelayJSON) string {
	switch {
	case !r.Connected:
		return "absent"
	case r.InSync:
		return "in sync"
	case r.Sent:
		return "sent"
	case r.BehindSeconds == nil:
		return "unknown"
	case !r.Agent:
		return "sending for " + secondsText(*r.BehindSeconds)
	default:
		return "behind for " + secondsText(*r.BehindSeconds)
	}
}

func secondsText(seconds float64) string {
	return change.Duration(time.Duration(seconds * float64(time.Second)).Round(time.Second))
}

func agoText(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return change.Duration(max(0, now.Sub(t)).Round(time.Second)) + " ago"
}

func roundTripText(r fleet.RelayJSON) string {
	if r.RoundTripSeconds == nil {
		return ""
	}
	const enough = 3 // digits
	return strconv.FormatFloat(*r.RoundTripSeconds*1000, 'g', enough, 64) + " ms"
}

func printRelay(out io.Writer, r fleet.RelayJSON, now time.Time) error {
	var text strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&text, "%-14s%s\n", name+":", terminal.Plain(value))
		}
	}
	line("name", r.Name)
	line("sync", syncText(r))
	line("address", r.Address)
	since := "connected"
	if !r.Connected {
		since = "last seen"
	}
	line(since, agoText(r.Since, now))
	line("round trip", roundTripText(r))
	line("version", r.Version)
	line("key", r.Key)
	line("hub", r.Hub)
	line("applied", r.Digest)
	line("should have", r.WantDigest)
	if s := r.Status; s != nil {
		line("state", s.State)
		line("source", s.Source)
		line("environments", strconv.Itoa(int(s.Environments)))
		if s.LastError != nil {
			line("last error", s.LastError.Message)
		}
	}
	for _, b := range r.BehindBy {
		line("behind by", fmt.Sprintf("%s: has %s, should have %s", b.Environment, versionText(b.Applied), versionText(b.Expected)))
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func versionText(version *int64) string {
	if version == nil {
		return "none"
	}
	return "version " + strconv.FormatInt(*version, 10)
}
