package sse

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRules covers what fields mean; this is about taking a line apart.
func TestParseField(t *testing.T) {
	for _, test := range []struct {
		line  string
		field field
		value string
	}{
		{"data:a", dataField, "a"},
		{"data: a", dataField, "a"},
		{"data", dataField, ""},
		{"data: ", dataField, ""},
		{"event:put", eventField, "put"},
		{"retry: 1", retryField, "1"},
		{"id:1", unknownField, "1"},
		{"datadata", unknownField, ""},
		{"dat:a", unknownField, "a"},
		{" ", unknownField, ""},
		{":", commentLine, ""},
		{"::a", commentLine, ":a"},
		{": data:a", commentLine, "data:a"},
	} {
		field, value := parseField([]byte(test.line))
		assert.Equal(t, test.field, field, test.line)
		assert.Equal(t, test.value, string(value), test.line)
	}
}
