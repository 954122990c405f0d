package autoconfig

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// What is kept for each environment, beside its strings and its place in the map. Both sizes are among those in which the
// runtime gives memory.
func TestAnEnvironmentIsKeptIn96Bytes(t *testing.T) {
	size := unsafe.Sizeof(item[environment]{})
	assert.LessOrEqual(t, size, uintptr(96))
	assert.LessOrEqual(t, size*itemsInABlock, uintptr(4096))
}
