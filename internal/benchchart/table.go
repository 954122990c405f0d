package main

import (
	"fmt"
	"strings"
)

// rows are the benchmarks in the order of the table.
var rows = []struct{ benchmark, what string }{
	{"Put", "first put"},
	{"PutUnchanged", "unchanged put"},
	{"PutOnePercentChanged", "one percent changed"},
	{"Patch", "patch in a burst"},
	{"Retained", "heap kept"},
}

// table is Markdown.
func table(all results) string {
	var t strings.Builder
	t.WriteString("| work | environments | relayconf | baseline | wire | faster than baseline | of the wire's time | bytes, of baseline's | allocations |\n")
	t.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, row := range rows {
		for _, n := range all.sizes(row.benchmark) {
			ours, theirs, wire := all.find(row.benchmark, n, "relayconf"), all.find(row.benchmark, n, "baseline"), all.find(row.benchmark, n, "wire")
			if row.benchmark == "Retained" {
				kept, theirKept := ours.median("heap-B/env"), theirs.median("heap-B/env")
				fmt.Fprintf(&t, "| %s | %d | %.0f B each | %.0f B each | | | | %.2f | |\n", row.what, n, kept, theirKept, kept/theirKept)
				continue
			}
			us, them, bare := ours.median("ns/op"), theirs.median("ns/op"), wire.median("ns/op")
			fmt.Fprintf(&t, "| %s | %d | %s | %s | %s | %.1f | %.1f | %.3f | %.0f, not %.0f |\n", row.what, n, duration(us), duration(them), duration(bare),
				them/us, us/bare, ours.median("B/op")/theirs.median("B/op"), ours.median("allocs/op"), theirs.median("allocs/op"))
		}
	}
	return t.String()
}

func duration(ns float64) string {
	switch {
	case ns >= 1e9:
		return fmt.Sprintf("%.3g s", ns/1e9)
	case ns >= 1e6:
		return fmt.Sprintf("%.3g ms", ns/1e6)
	case ns >= 1e3:
		return fmt.Sprintf("%.3g us", ns/1e3)
	}
	return fmt.Sprintf("%.0f ns", ns)
}
