package rpc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestNamesAreBoundedAndPrintable(t *testing.T) {
	for name, row := range map[string]struct {
		name string
		err  string // empty: the name is allowed
	}{
		"plain":                 {name: "relay-1.example:8030"},
		"with a space":          {name: "relay one"},
		"other scripts":         {name: "Überwacher 中継"},
		"longest":               {name: strings.Repeat("x", MaxNameLength)},
		"empty":                 {"", "is empty"},
		"too long":              {strings.Repeat("x", MaxNameLength+1), "has 129 bytes: at most 128"},
		"too long in bytes":     {strings.Repeat("ü", MaxNameLength/2+1), "has 130 bytes"},
		"line feed":             {"a\nb", "U+000A"},
		"terminal escape":       {"a\x1b[31m", "U+001B"},
		"zero byte":             {"a\x00", "U+0000"},
		"text direction":        {"a\u202eb", "U+202E"},
		"space that looks like": {"a\u00a0b", "U+00A0"},
		"not UTF-8":             {"a\xff", "is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckName(row.name)
			if row.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.Equal(t, codes.InvalidArgument, status.Code(err))
			assert.ErrorContains(t, err, row.err)
		})
	}
}
