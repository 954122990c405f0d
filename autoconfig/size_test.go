package autoconfig

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// What is kept for each environment, beside its strings and its place in the map, fits into one of the runtime's size
// classes. A field more would put it into the next.
func TestAnEnvironmentIsKeptIn96Bytes(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(item[environment]{}), uintptr(96))
}
