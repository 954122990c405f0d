//go:build linux

package main

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/relayconf/relayconf/internal/plot"
)

// histogram counts durations, from a microsecond to 1,000 s, in buckets that are 5 % wide.
type histogram struct {
	buckets [9*perDecade + 1]atomic.Int64
	largest atomic.Int64
}

const perDecade = 48

func (h *histogram) add(d time.Duration) {
	at := perDecade * math.Log10(max(1, float64(d)/1e3))
	h.buckets[min(len(h.buckets)-1, int(at))].Add(1)
	for largest := h.largest.Load(); int64(d) > largest && !h.largest.CompareAndSwap(largest, int64(d)); {
		largest = h.largest.Load()
	}
}

// since adds the time since a stamp. A put, which a relay gets that has fallen far behind, has none.
func (h *histogram) since(stamp int64) {
	if stamp != 0 {
		h.add(time.Duration(time.Now().UnixNano() - stamp))
	}
}

func (h *histogram) count() (n int64) {
	for i := range h.buckets {
		n += h.buckets[i].Load()
	}
	return n
}

// quantile returns the duration that a part of all does not exceed.
func (h *histogram) quantile(part float64) time.Duration {
	left := int64(math.Ceil(part * float64(h.count())))
	for i := range h.buckets {
		if left -= h.buckets[i].Load(); left <= 0 {
			return min(time.Duration(bucketEnd(i+1)*1e6), h.max())
		}
	}
	return h.max()
}

func (h *histogram) max() time.Duration { return time.Duration(h.largest.Load()) }

// bucketEnd is where a bucket begins, and the one before ends, in milliseconds.
func bucketEnd(i int) float64 { return math.Pow(10, float64(i)/perDecade) / 1e3 }

// line is the outline of the histogram, in milliseconds and percent. It joins eight buckets to one.
func (h *histogram) line(name, colour string) plot.Line {
	const joined = 8
	l := plot.Line{Name: name, Colour: colour}
	for i := 0; i+joined < len(h.buckets); i += joined {
		var n int64
		for j := range joined {
			n += h.buckets[i+j].Load()
		}
		percent := 100 * float64(n) / float64(h.count())
		l.Points = append(l.Points, plot.Point{X: bucketEnd(i), Y: percent}, plot.Point{X: bucketEnd(i + joined), Y: percent})
	}
	return l
}
