package hub

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestWhichWritesAnEndAllows has the calls of those who end a stream, in the order in which they may come. Only its own
// goroutine reopens it, and never after an end at once.
func TestWhichWritesAnEndAllows(t *testing.T) {
	for name, test := range map[string]struct {
		end      func(*output)
		writes   bool
		reopened bool
	}{
		"none":                        {func(*output) {}, true, false},
		"revoked":                     {func(o *output) { o.refuse() }, false, true},
		"at once":                     {func(o *output) { o.abort() }, false, false},
		"revoked, and then at once":   {func(o *output) { o.refuse(); o.abort() }, false, false},
		"at once, and then revoked":   {func(o *output) { o.abort(); o.refuse() }, false, false},
		"revoked with bytes held":     {func(o *output) { o.write([]byte("a")); o.refuse() }, false, false},
		"revoked with nothing held":   {func(o *output) { o.write([]byte("a")); _ = o.flush(); o.refuse() }, false, true},
		"revoked, and a write failed": {func(o *output) { o.refuse(); o.write([]byte("a")) }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			var total atomic.Uint64
			o := newOutput(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), time.Minute, &total)
			test.end(&o)
			if test.writes {
				assert.NoError(t, o.flush())
			} else {
				assert.ErrorIs(t, o.flush(), errEnded)
			}
			assert.Equal(t, test.reopened, o.reopen())
			if test.reopened {
				assert.NoError(t, o.flush())
			}
		})
	}
}
