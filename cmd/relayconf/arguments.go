package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// arguments checks the arguments of a command that takes those named, in this order. One in brackets may be left out.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, name := range names[min(len(args), len(names)):] {
			if !strings.HasPrefix(name, "[") {
				return usageError("the argument %s is missing. Usage: %s", name, cmd.UseLine())
			}
		}
		if len(args) > len(names) {
			return usageError("the argument %q is one too many. Usage: %s", args[len(names)], cmd.UseLine())
		}
		return nil
	}
}
