package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/terminal"
)

var fleetHelp = `Shows which relays a hub has, whether each has applied the present configuration, and calls them.

It asks the admin listener of relayconf serve. Relays that keep a link (relayconf watch --link, or package link/agent) tell
what they have applied. Of others only the stream is known, and with it what they were sent: they are shown as "sent".

` + exitCodesHelp(exitMissing, exitInconclusive, exitInterrupted)

const fleetExample = `  # Which relays are there, and are they up to date?
  relayconf fleet list

  # After the rotation of a key, before the old one is deleted: wait until every relay has the environment's version 42
  relayconf fleet wait --environment 5f1b0c7e --version 42 --timeout 10m

  # Why is this one late?
  relayconf fleet show relay-7
  relayconf fleet call relay-7 reconnect`

// fleetOptions are the flags of each fleet command.
type fleetOptions struct {
	adminAddr      string
	adminTokenFile string
	adminCA        string
	adminCert      string
	adminCertKey   string
	format         string
}

func newFleet() *cobra.Command {
	var o fleetOptions
	cmd := &cobra.Command{
		Use:     "fleet",
		Short:   "Show the relays of a hub, or of several, call them, and wait until all are up to date",
		Long:    fleetHelp,
		Example: fleetExample,
		Args:    cobra.NoArgs,
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			return usageError("fleet needs a command: list, show, call, wait or forget")
		}),
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.adminAddr, "admin-addr", "127.0.0.1:8031", "`address` of the hub's admin listener, or its URL")
	flags.StringVar(&o.adminTokenFile, "admin-token-file", "", "`file` with the token that the admin listener needs")
	flags.StringVar(&o.adminCA, "admin-ca", "", "PEM `file` with authorities to trust with https, besides the system's")
	flags.StringVar(&o.adminCert, "admin-cert", "", "PEM `file` with the client certificate that the admin listener needs")
	flags.StringVar(&o.adminCertKey, "admin-cert-key", "", "PEM `file` with its private key")
	for _, file := range []string{"admin-token-file", "admin-ca", "admin-cert", "admin-cert-key"} {
		_ = cmd.MarkPersistentFlagFilename(file)
	}
	cmd.AddCommand(newFleetList(&o), newFleetShow(&o), newFleetCall(&o), newFleetWait(&o), newFleetForget(&o))
	return cmd
}

// completeRelays completes the names of relays.
func completeRelays(o *fleetOptions, keep func(fleet.RelayJSON) bool) cobra.CompletionFunc {
	return completeNames(o, func(list fleet.ListJSON) (names []string) {
		for _, r := range list.Relays {
			if keep(r) {
				names = append(names, r.Name)
			}
		}
		return names
	})
}

// completeHubs completes the names of hubs that may be forgotten: those that are not connected.
func completeHubs(o *fleetOptions) cobra.CompletionFunc {
	return completeNames(o, func(list fleet.ListJSON) (names []string) {
		for _, h := range list.Hubs {
			if !h.Connected {
				names = append(names, h.Name)
			}
		}
		return names
	})
}

// completeNames completes names that a hub knows. It is silent about errors, as completions are.
func completeNames(o *fleetOptions, names func(fleet.ListJSON) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		const patience = 2 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		client, err := o.client()
		var list fleet.ListJSON
		if err == nil {
			err = client.get(ctx, fleet.RelaysPath, nil, &list)
		}
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(list), cobra.ShellCompDirectiveNoFileComp
	}
}

// firstArgument completes only the first argument.
func firstArgument(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, toComplete)
	}
}

// Which relays are completed.
func anyRelay(fleet.RelayJSON) bool           { return true }
func callableRelay(r fleet.RelayJSON) bool    { return r.Connected && r.Agent }
func forgettableRelay(r fleet.RelayJSON) bool { return !r.Connected }

// printJSON prints a value for programs. Characters that a terminal would obey are escaped.
func printJSON(out io.Writer, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := out.Write(terminal.EscapeJSON(text.Bytes()))
	return err
}
