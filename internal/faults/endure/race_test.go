//go:build race

package endure

// slowness divides how much is done: the race detector makes it ten times as slow.
const slowness = 10
