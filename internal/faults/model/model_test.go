package model

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", histories); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestRelayIsToldWhatTheRulesSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := drawHistory(rt)
		if problem := play(t, history); problem != "" {
			rt.Fatalf("%s\nThe history is\n%s", problem, historyText(history))
		}
	})
}

func historyText(history []step) string {
	var text strings.Builder
	for i, s := range history {
		fmt.Fprintf(&text, "%4d. %T%+v\n", i+1, s, s)
	}
	return text.String()
}
