package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
)

func newFleetCall(o *fleetOptions) *cobra.Command {
	relays := completeRelays(o, callableRelay)
	return &cobra.Command{
		Use:   "call NAME FUNCTION [ARGUMENT]",
		Short: "Call a function of a relay, and print its answer as JSON",
		Long: `Calls a function of a relay that has an agent, and prints its answer as JSON. The functions:
  get-version-info       the relay's program and platform
  get-status             how its stream is doing, and what it has applied
  list-environments      what it has, keys masked
  reconnect              drop the stream and connect anew
  set-log-level LEVEL    debug, info, warn, error or none; debug only if the relay was started with LOG_LEVEL=debug`,
		Example: `  relayconf fleet call relay-7 get-status
  relayconf fleet call relay-7 set-log-level warn`,
		Args: arguments("NAME", "FUNCTION", "[ARGUMENT]"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			switch {
			case len(args) == 0:
				return relays(cmd, args, toComplete)
			case len(args) == 1:
				return fleet.Functions(), cobra.ShellCompDirectiveNoFileComp
			case args[1] == "set-log-level":
				return []string{"debug", "info", "warn", "error", "none"}, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: command(func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(fleet.Functions(), args[1]) {
				return usageError("there is no function %q: give one of %s", args[1], strings.Join(fleet.Functions(), ", "))
			}
			client, err := o.client()
			if err != nil {
				return err
			}
			var result json.RawMessage
			call := fleet.CallJSON{Relay: args[0], Function: args[1], Argument: strings.Join(args[2:], "")}
			if err := client.post(cmd.Context(), fleet.CallPath, call, &result); err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), result)
		}),
	}
}

func newFleetForget(o *fleetOptions) *cobra.Command {
	var hub string
	cmd := &cobra.Command{
		Use:   "forget NAME | forget --hub NAME",
		Short: "Forget a relay or a hub that is gone for good, so that wait does not expect it",
		Long: `Forgets a relay that is not connected: list no longer shows it, wait no longer expects it, and a relay with another key may
take its name. With --hub it forgets a hub that has died, without which the view of the fleet is incomplete; its relays are
still expected. All hubs of the fleet are told.`,
		Example: `  relayconf fleet forget relay-7
  relayconf fleet forget --hub hub-2`,
		Args:              arguments("[NAME]"),
		ValidArgsFunction: firstArgument(completeRelays(o, forgettableRelay)),
		RunE: command(func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (hub == "") {
				return usageError("forget needs the name of a relay, or --hub and the name of a hub")
			}
			client, err := o.client()
			if err != nil {
				return err
			}
			var done json.RawMessage
			return client.post(cmd.Context(), fleet.ForgetPath, fleet.ForgetJSON{Relay: strings.Join(args, ""), Hub: hub}, &done)
		}),
	}
	cmd.Flags().StringVar(&hub, "hub", "", "`name` of a hub that is gone")
	_ = cmd.RegisterFlagCompletionFunc("hub", completeHubs(o))
	return cmd
}
