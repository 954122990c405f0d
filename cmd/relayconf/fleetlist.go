package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
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
		Args: cobra.NoArgs,
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			var list fleet.ListJSON
			if err := client.get(cmd.Context(), fleet.RelaysPath, nil, &list); err != nil {
				return err
			}
			if o.format == "json" {
				return printJSON(cmd.OutOrStdout(), list)
			}
			return printRelays(cmd.OutOrStdout(), list, time.Now())
		}),
	}
	addFormat(cmd, &o.format)
	return cmd
}

func newFleetShow(o *fleetOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show a relay: its status, and by which environments it is behind",
		Args:              cobra.ExactArgs(1),
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

// printRelays prints a table that is as wide as the terminal at most; elsewhere nothing is cut.
func printRelays(out io.Writer, list fleet.ListJSON, now time.Time) error {
	t := newTable(out)
	header := table.Row{"NAME", "SYNC", "ADDRESS", "SINCE", "RTT", "VERSION"}
	if len(list.Hubs) > 0 {
		header = append(header, "HUB")
	}
	t.AppendHeader(header)
	for _, r := range list.Relays {
		row := table.Row{terminal.Plain(r.Name), syncText(r), terminal.Plain(r.Address), agoText(r.Since, now), roundTripText(r), terminal.Plain(r.Version)}
		if len(list.Hubs) > 0 {
			row = append(row, terminal.Plain(r.Hub))
		}
		t.AppendRow(row)
	}
	text := t.Render() + "\n"
	if len(list.Relays) == 0 {
		text = "No relay is connected, and none was seen.\n"
	}
	if !list.Complete {
		text += "Relays may be missing: " + terminal.Plain(list.Incomplete) + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

func newTable(out io.Writer) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			style.Size.WidthMax = width
		}
	}
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t
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
