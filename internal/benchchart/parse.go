package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// result is one contender's figures in one case of a benchmark: of each unit, one figure for each run.
type result struct {
	benchmark    string // for example "Put"
	environments int
	contender    string // relayconf, baseline or wire
	figures      map[string][]float64
}

// median returns the middle figure; 0 if there is none.
func (r *result) median(unit string) float64 {
	if r == nil || len(r.figures[unit]) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(r.figures[unit]))
	return sorted[len(sorted)/2]
}

type results []*result

func (all results) find(benchmark string, environments int, contender string) *result {
	for _, r := range all {
		if r.benchmark == benchmark && r.environments == environments && r.contender == contender {
			return r
		}
	}
	return nil
}

// sizes are the numbers of environments that a benchmark was run with.
func (all results) sizes(benchmark string) (sizes []int) {
	for _, r := range all {
		if r.benchmark == benchmark {
			sizes = append(sizes, r.environments)
		}
	}
	slices.SortFunc(sizes, cmp.Compare)
	return slices.Compact(sizes)
}

// parse reads lines such as "BenchmarkPut/environments=10/wire-2  100  123 ns/op  45 B/op", and skips all others.
func parse(from io.Reader) (results, error) {
	var all results
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.Split(strings.TrimPrefix(fields[0], "Benchmark"), "/")
		if len(name) != 3 {
			continue
		}
		environments, err := strconv.Atoi(strings.TrimPrefix(name[1], "environments="))
		if err != nil {
			return nil, fmt.Errorf("the benchmark %q does not say how many environments it has", fields[0])
		}
		contender, _, _ := strings.Cut(name[2], "-") // without GOMAXPROCS, which follows the dash
		r := all.find(name[0], environments, contender)
		if r == nil {
			r = &result{name[0], environments, contender, map[string][]float64{}}
			all = append(all, r)
		}
		for i := 2; i+1 < len(fields); i += 2 {
			figure, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("a figure of %q is not a number: %q", fields[0], fields[i])
			}
			r.figures[fields[i+1]] = append(r.figures[fields[i+1]], figure)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("there are no figures in the input; it should be what go test -bench prints")
	}
	return all, nil
}
