package store

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnUnreadableErrorSaysWhatBecameOfIt(t *testing.T) {
	tests := []struct {
		name string
		err  UnreadableError
		want string
	}{
		{"set aside", UnreadableError{Place: "a", SetAside: "b", Reason: ErrDamaged},
			"the configuration stored in a can't be used: it is damaged. It was set aside as b"},
		{"left alone", UnreadableError{Place: "a", Reason: ErrTruncated},
			"the configuration stored in a can't be used: it is truncated"},
		{"not set aside", UnreadableError{Place: "a", Reason: ErrForeign, Failed: fs.ErrPermission},
			"the configuration stored in a can't be used: it is not a stored configuration of relayconf. " +
				"It could not be set aside: permission denied"},
		{"another key", UnreadableError{Place: "a", SetAside: "b", Reason: ErrWrongKey},
			"the configuration stored in a can't be used: it is encrypted with another key. It was set aside as b. " +
				"If the auto-config key was changed, give the former one as an older key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, test.err.Error())
			assert.ErrorIs(t, &test.err, test.err.Reason)
			assert.Equal(t, test.err.Failed != nil, errors.Is(&test.err, fs.ErrPermission))
		})
	}
}
