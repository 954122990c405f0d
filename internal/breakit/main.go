// Command breakit checks that the tests which docs/guarantees.md names would notice if a promise were broken. It copies
// the tree, breaks one promise after the other by a small change to the code, and runs the test that must then fail.
//
//	go run ./internal/breakit [REGEXP]    all promises, or those whose text or file matches
package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
)

// promise is a row of the table: a promise, a change that breaks it, and the test that must notice.
type promise struct {
	text     string
	file     string // relative to the root
	from, to string // from is in the file exactly once
	folder   string // of the test's package
	test     string
	tags     string // build tags of the test, such as "servers"
}

// table is all promises.
func table() []promise {
	return slices.Concat(rules, line, secrets, stores, watch, hubs, serve, sharedFleet)
}

func main() {
	filter := ""
	if len(os.Args) > 1 {
		filter = os.Args[1]
	}
	unnoticed, err := run(filter, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "breakit:", err)
		os.Exit(2)
	}
	if unnoticed > 0 {
		os.Exit(1)
	}
}

// run returns how many of the broken promises no test has noticed.
func run(filter string, out io.Writer) (unnoticed int, err error) {
	matches, err := regexp.Compile(filter)
	if err != nil {
		return 0, err
	}
	var chosen []promise
	for _, p := range table() {
		if matches.MatchString(p.text) || matches.MatchString(p.file) {
			chosen = append(chosen, p)
		}
	}
	tree, err := copyTree(".")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tree.root)
	if err := tree.checkWhole(chosen); err != nil {
		return 0, err
	}
	for i, p := range chosen {
		result, err := tree.tryBroken(p)
		if err != nil {
			return unnoticed, err
		}
		if result != noticed {
			unnoticed++
		}
		fmt.Fprintf(out, "%3d/%d  %-12s  %s  (%s in %s)\n", i+1, len(chosen), result, p.text, p.test, p.folder)
	}
	fmt.Fprintf(out, "%d of %d broken promises were noticed\n", len(chosen)-unnoticed, len(chosen))
	return unnoticed, nil
}
