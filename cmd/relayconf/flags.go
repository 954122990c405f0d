package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/relayconf/relayconf/autoconfig"
)

// streamOptions are the flags of each command that follows the stream.
type streamOptions struct {
	keyFile          string
	initTimeout      time.Duration
	retryRejectedKey bool
	readTimeout      time.Duration
	protocolVersion  int
}

// addStreamFlags adds the flags. The text of --init-timeout says that it limits the time until the first event of the kind
// first.
func addStreamFlags(flags *pflag.FlagSet, o *streamOptions, first string) {
	o.readTimeout, o.protocolVersion = autoconfig.DefaultReadTimeout, 2
	addKeyFile(flags, &o.keyFile)
	flags.Var(atLeast(0, &o.initTimeout), "init-timeout",
		"fail if the first "+first+" takes longer than this; 0 is no limit (default INIT_TIMEOUT)")
	flags.BoolVar(&o.retryRejectedKey, "retry-rejected-key", false, "go on trying with a rejected key, from 5 minutes to an hour apart, rather than end")
	flags.Var(atLeast(time.Nanosecond, &o.readTimeout), "read-timeout", "longest silence, keepalives included, before the stream counts as lost")
	flags.Var((*versionValue)(&o.protocolVersion), "protocol-version", "protocol `version` to ask for: 1, or 2 to get filters")
}

func completeProtocolVersion(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("protocol-version", cobra.FixedCompletions([]string{"1", "2"}, cobra.ShellCompDirectiveNoFileComp))
}

func addKeyFile(flags *pflag.FlagSet, path *string) {
	flags.StringVar(path, "key-file", "",
		"`file` that holds the auto-configuration key; goes before AUTO_CONFIG_KEY, and is read again on SIGHUP")
}

func addFormat(cmd *cobra.Command, format *string) {
	formats := []string{"text", "json"}
	*format = formats[0]
	cmd.Flags().Var(&choiceValue{format, formats}, "format", "`format` of the output: text or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// refuseEmpty refuses flags and arguments that are empty, as happens with a shell variable that is not set. To ignore them
// would do something else than the user meant.
func refuseEmpty(flags *pflag.FlagSet, args []string) (err error) {
	flags.Visit(func(flag *pflag.Flag) {
		list, isList := flag.Value.(pflag.SliceValue)
		if err == nil && (flag.Value.String() == "" || isList && slices.Contains(list.GetSlice(), "")) {
			err = usageError("--%s is empty: give it a value, or leave it out", flag.Name)
		}
	})
	if err == nil && slices.Contains(args, "") {
		err = usageError("an argument is empty")
	}
	return err
}

// durationValue is a flag with a duration that must not be shorter than least.
type durationValue struct {
	value *time.Duration
	least time.Duration
}

func atLeast(least time.Duration, value *time.Duration) *durationValue {
	return &durationValue{value, least}
}

func (v *durationValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("it must be a duration, such as 30s or 5m")
	case d < 0 && v.least == 0:
		return errors.New("it can't be negative")
	case d < v.least && v.least > time.Nanosecond:
		return fmt.Errorf("it must be at least %s", v.least)
	case d < v.least:
		return errors.New("it must be positive")
	}
	*v.value = d
	return nil
}

// String has "0" for none, which the help does not show as a default.
func (v *durationValue) String() string {
	if *v.value == 0 {
		return "0"
	}
	return v.value.String()
}

func (*durationValue) Type() string { return "duration" }

// versionValue is a flag with a number from 1 on.
type versionValue int

func (v *versionValue) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("it must be a number, 1 or more")
	}
	*v = versionValue(n)
	return nil
}

func (v *versionValue) String() string { return strconv.Itoa(int(*v)) }
func (*versionValue) Type() string     { return "int" }

// choiceValue is a flag with one of some words.
type choiceValue struct {
	value *string
	words []string
}

func (v *choiceValue) Set(text string) error {
	if !slices.Contains(v.words, text) {
		return fmt.Errorf("it must be %s", strings.Join(v.words, " or "))
	}
	*v.value = text
	return nil
}

func (v *choiceValue) String() string { return *v.value }
func (*choiceValue) Type() string     { return "string" }

// modeValue is a flag with the permissions of a file, in octal.
type modeValue fs.FileMode

func (v *modeValue) Set(text string) error {
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || mode == 0 || mode > 0o777 {
		return errors.New("it must be an octal number from 1 to 777, such as 0640")
	}
	*v = modeValue(mode)
	return nil
}

// String has "0" for none, which the help does not show as a default.
func (v *modeValue) String() string {
	if *v == 0 {
		return "0"
	}
	return fmt.Sprintf("%04o", uint32(*v))
}

func (*modeValue) Type() string { return "mode" }
