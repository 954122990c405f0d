// Command relayconf follows the auto-configuration stream of feature-flag relays: it prints changes, writes the
// environments to a file, runs a hook for each change, and records and replays streams.
package main

import "os"

func main() { os.Exit(run(os.Args[1:])) }
