package hubmodel

import (
	"flag"
	"os"
	"testing"
)

// histories is how many of them each test plays, unless -rapid.checks says otherwise.
const histories = "500"

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
