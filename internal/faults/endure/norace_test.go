//go:build !race

package endure

const slowness = 1
