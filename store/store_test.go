package store

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnUnreadableErrorSaysWhatBecameOfIt(t *testing.T) {
	const cannot = "the configuration stored in a can't be used: "
	tests := []struct {
		name, kind string
		err        UnreadableError
		want       string
	}{
		{"set aside", "damaged", UnreadableError{SetAside: "b", Reason: ErrDamaged},
			"it is damaged. It was set aside as b"},
		{"left where it is", "damaged", UnreadableError{Reason: ErrTruncated}, "it is truncated"},
		{"not set aside", "damaged", UnreadableError{Reason: ErrDamaged, Failed: fs.ErrPermission},
			"it is damaged. It could not be set aside, and was not replaced: permission denied"},
		{"foreign", "foreign", UnreadableError{Reason: ErrForeign},
			"it is not a stored configuration of relayconf. It is left alone: move it away, or choose another place for the " +
				"stored configuration"},
		{"another key", "other-key", UnreadableError{Reason: ErrWrongKey},
			"it is encrypted with another key. It stays until the service has accepted the present key. If the auto-config " +
				"key was changed, give the former one as an older key"},
		{"another key, set aside", "other-key", UnreadableError{SetAside: "b", Reason: ErrWrongKey},
			"it is encrypted with another key. It was set aside as b"},
		{"newer", "newer-format", UnreadableError{Reason: fmt.Errorf("%w: 2", ErrNewerFormat)},
			"it was written by a newer version of relayconf: 2"},
		{"too large", "too-large", UnreadableError{Reason: ErrTooLarge}, "it is too large"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.err.Place = "a"
			assert.Equal(t, cannot+test.want, test.err.Error())
			assert.Equal(t, test.kind, test.err.Kind())
			assert.ErrorIs(t, &test.err, test.err.Reason)
			assert.Equal(t, test.err.Failed != nil, errors.Is(&test.err, fs.ErrPermission))
		})
	}
}
