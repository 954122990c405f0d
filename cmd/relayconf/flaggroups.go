package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The annotations of a flag that name the flags which can't be used with it, and those which it needs.
const (
	excludes = "relayconf_excludes"
	needs    = "relayconf_needs"
)

// markExclusive says that only one of two flags can be used. Cobra is told, too, for completion; checkFlagGroups comes first.
func markExclusive(cmd *cobra.Command, flag, other string) {
	cmd.MarkFlagsMutuallyExclusive(flag, other)
	annotate(cmd, flag, excludes, other)
}

// markTogether says that each of two flags needs the other.
func markTogether(cmd *cobra.Command, flag, other string) {
	cmd.MarkFlagsRequiredTogether(flag, other)
	annotate(cmd, flag, needs, other)
	annotate(cmd, other, needs, flag)
}

func annotate(cmd *cobra.Command, flag, annotation, other string) {
	others := cmd.Flags().Lookup(flag).Annotations[annotation]
	_ = cmd.Flags().SetAnnotation(flag, annotation, append(slices.Clone(others), other))
}

// checkFlagGroups says which flags to leave out or to add. It comes before cobra's own check, whose words are not for people.
func checkFlagGroups(cmd *cobra.Command, _ []string) (err error) {
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		for _, other := range flag.Annotations[excludes] {
			if err == nil && cmd.Flags().Changed(other) {
				err = usageError("--%s and --%s can't be used together: leave one of them out", flag.Name, other)
			}
		}
		for _, other := range flag.Annotations[needs] {
			if err == nil && !cmd.Flags().Changed(other) {
				err = usageError("--%s needs --%s, too", flag.Name, other)
			}
		}
	})
	return err
}
