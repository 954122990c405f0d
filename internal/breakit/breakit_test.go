package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

func TestEveryChangeCanBeMadeOnce(t *testing.T) {
	texts := map[string]bool{}
	for _, p := range table() {
		t.Run(p.text, func(t *testing.T) {
			require.NoError(t, p.check(root))
			assert.NotEqual(t, p.from, p.to)
			assert.False(t, texts[p.text+p.from], "it is there twice")
			texts[p.text+p.from] = true
		})
	}
}

func TestAChangeThatDoesNotApplyIsAnError(t *testing.T) {
	p := promise{text: "a", file: "go.mod", from: "no such text"}
	require.ErrorContains(t, p.check(root), "in go.mod 0 times")
	p.from = "e"
	require.ErrorContains(t, p.check(root), "it must be there once")
	p.file = "missing"
	require.Error(t, p.check(root))
}

func TestWhatTheOutputOfATestSays(t *testing.T) {
	failed := errors.New("exit status 1")
	tests := []struct {
		name, output string
		err          error
		want         result
	}{
		{"it failed", "=== RUN   TestA\n--- FAIL: TestA\nFAIL\n", failed, noticed},
		{"it panicked", "=== RUN   TestA\npanic: oh\n", failed, noticed},
		{"it passed", "=== RUN   TestA\n--- PASS: TestA\nok\n", nil, unnoticed},
		{"it hung", "=== RUN   TestA\npanic: test timed out after 2m0s\n", failed, onlyHangs},
		{"it was not there", "testing: warning: no tests to run\nok\n", nil, noSuchTest},
		{"another one ran", "=== RUN   TestAB\n--- FAIL: TestAB\n", failed, noSuchTest},
		{"it does not compile", "FAIL\ta [build failed]\n", failed, noCompile},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, resultOf(test.output, test.err, "TestA"))
		})
	}
}

func TestABadFilterIsAnError(t *testing.T) {
	_, err := run("(", &strings.Builder{})
	require.Error(t, err)
}

func TestTheDocsCountThePromises(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/guarantees.md")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(strings.Fields(string(page)), " "), fmt.Sprintf("has %d such changes: %d to the rules of messages and "+
		"connections, %d to starts without the service, %d to the sidecar, %d to the hub, `serve` and links, %d to several hubs, and %d to",
		len(table()), len(rules)+len(line), len(stores), len(watch), len(hubs)+len(serve), len(sharedFleet), len(secrets)))
}
