//go:build linux

package main

import (
	"fmt"
	"time"
)

// stalledCase lets relays read nothing while many environments change, and looks at those that follow.
func stalledCase(r *report) {
	const following, environments, patches, perSecond = 10, 10_000, 10_000, 500
	up := newUpstream(environments)
	defer up.close()
	r.header(fmt.Sprintf("%d patches of different environments, %d a second, to %d relays that follow, while others read nothing", patches, perSecond, following),
		"hub", "relays that read nothing", "half of all", "99 of 100", "999 of 1,000", "all", "events that arrived", "heap grew by", "peak memory")
	for _, contender := range []string{"hub", "baseline"} {
		for _, stalled := range []int{0, 500} {
			p := start(contender, up)
			var all histogram
			f := follow(p, following, ask{}, all.since)
			stuck := make([]*relay, stalled)
			together(stalled, func(i int) (err error) {
				stuck[i], err = open(p.address, ask{slow: true})
				return err
			})
			time.Sleep(time.Second) // they fill their buffers
			before := p.settled()
			pace(patches, perSecond, up.change)
			awaitCount(&all, following*patches)
			after := p.settled()
			for _, s := range stuck {
				s.close()
			}
			f.close()
			p.stop()
			r.row(contender, fmt.Sprint(stalled), milliseconds(all.quantile(0.5)), milliseconds(all.quantile(0.99)), milliseconds(all.quantile(0.999)),
				milliseconds(all.max()), fmt.Sprint(all.count()), size(float64(after.Heap-before.Heap)), size(float64(after.Peak)))
		}
	}
}
