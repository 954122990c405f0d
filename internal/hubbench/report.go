//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// report prints tables in Markdown.
type report struct {
	charts string // the folder for charts
}

func (r *report) header(title string, columns ...string) {
	fmt.Printf("\n%s:\n\n", title)
	r.row(columns...)
	fmt.Println("| --- |" + strings.Repeat(" ---: |", len(columns)-1))
}

func (r *report) row(cells ...string) { fmt.Println("| " + strings.Join(cells, " | ") + " |") }

func (r *report) herdHeader(title string) {
	r.header(title, "hub", "until the last has all", "CPU of the hub", "bytes for each relay", "peak memory", "memory of an idle relay")
}

func (r *report) herd(h herd) {
	r.row(h.e.String(), milliseconds(h.last), milliseconds(h.cpu), size(h.bytes), size(float64(h.peak)), size(h.memory))
}

// milliseconds shows three digits.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms >= 1000:
		return fmt.Sprintf("%.2f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.3g ms", ms)
}

func size(bytes float64) string {
	switch {
	case bytes < 0:
		return "-" + size(-bytes)
	case bytes >= 1e8:
		return fmt.Sprintf("%.0f MB", bytes/1e6)
	case bytes >= 1e6:
		return fmt.Sprintf("%.3g MB", bytes/1e6)
	case bytes >= 1e3:
		return fmt.Sprintf("%.3g kB", bytes/1e3)
	}
	return fmt.Sprintf("%.0f B", bytes)
}
