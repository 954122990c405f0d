package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and how it was built",
		Args:  arguments(),
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		}),
	}
}

// version describes the build: "relayconf v1.2.3 (commit 0123456789ab) go1.26 linux/amd64".
func version() string {
	module, commit := moduleVersion()
	if commit != "" {
		commit = " (commit " + commit + ")"
	}
	return fmt.Sprintf("relayconf %s%s %s %s/%s", module, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func moduleVersion() (module, commit string) {
	module = "(devel)"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return module, ""
	}
	if info.Main.Version != "" {
		module = info.Main.Version
	}
	modified := ""
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			commit = setting.Value[:min(12, len(setting.Value))]
		case "vcs.modified":
			if setting.Value == "true" {
				modified = ", modified"
			}
		}
	}
	if commit == "" {
		return module, ""
	}
	return module, commit + modified
}

// userAgent is the User-Agent of requests to the service.
func userAgent() string {
	module, _ := moduleVersion()
	if module == "(devel)" {
		module = "devel"
	}
	return "relayconf/" + module
}
