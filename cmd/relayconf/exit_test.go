package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheHelpOfACommandListsTheExitCodesThatItCanEndWith(t *testing.T) {
	t.Parallel()
	for command, want := range map[string][]int{
		"":           {0, 1, 2, 3, 4, 5, 6, 7, 8, 130, 141},
		"watch":      {0, 1, 2, 3, 4, 5, 6, 130, 141},
		"serve":      {0, 1, 2, 3, 4, 130, 141},
		"record":     {0, 1, 2, 3, 4, 130, 141},
		"replay":     {0, 1, 2, 130, 141},
		"cache show": {0, 1, 2, 130, 141},
		"fleet":      {0, 1, 2, 7, 8, 130, 141},
		"fleet wait": {0, 1, 2, 7, 8, 130, 141},
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := start(t, nil, append(strings.Fields(command), "--help")...)
			p.exit(exitOK)
			_, list, _ := strings.Cut(p.stdout.String(), "Exit codes:\n")
			list, _, _ = strings.Cut(list, "\n\n")
			var got []int
			for _, code := range regexp.MustCompile(`(?m)^  (\d+) `).FindAllStringSubmatch(list, -1) {
				got = append(got, must(strconv.Atoi(code[1])))
			}
			assert.Equal(t, want, got)
		})
	}
}
