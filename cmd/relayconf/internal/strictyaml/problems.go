package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// mostShown is how many problems an error lists: the first ones are enough to begin with.
const mostShown = 20

// Problem is one mistake in a file. It quotes no value, since that may be a key.
type Problem struct {
	File string // as the path was given
	Line int    // 1 is the first; 0 if the mistake is in no line
	Text string // the mistake, and the value that is expected
}

// String returns the problem with its file and line.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Problems is an error: all mistakes of all files, in the order of files and lines.
type Problems []Problem

// Lines returns a line for each of the first problems, and one that counts the others.
func (p Problems) Lines() []string {
	var lines []string
	for _, problem := range p[:min(len(p), mostShown)] {
		lines = append(lines, problem.String())
	}
	if more := len(p) - mostShown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more mistakes", more))
	}
	return lines
}

// Error returns the lines.
func (p Problems) Error() string { return strings.Join(p.Lines(), "\n") }

// Sort sorts by file and line.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
