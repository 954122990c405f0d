package rig

import (
	"flag"
	"os"
	"testing"
)

// Main is for the TestMain of packages whose tests mostly wait: they run together, however few cores there are.
func Main(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
