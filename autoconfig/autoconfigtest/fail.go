package autoconfigtest

import (
	"fmt"
	"testing"
)

// fail ends the test, or panics where there is none.
func fail(tb testing.TB, format string, args ...any) {
	if tb == nil {
		panic("autoconfigtest: " + fmt.Sprintf(format, args...))
	}
	tb.Helper()
	tb.Fatalf("autoconfigtest: "+format, args...)
}
