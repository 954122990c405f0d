package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/envfactory"
)

// fill gives each field a value of its own, so that two that are mixed up are told apart.
func fill(v reflect.Value, next *int) {
	*next++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), next)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), next)
	case reflect.String:
		v.SetString(fmt.Sprint("text-", *next))
	case reflect.Int:
		v.SetInt(int64(*next))
	case reflect.Uint64:
		v.SetUint(uint64(*next))
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("a field of a kind that this test does not know: " + v.Kind().String())
	}
}

// A field that is added to EnvironmentRep has to be added to the decoder, too: see members.go.
func TestEachFieldOfAnEnvironmentIsDecoded(t *testing.T) {
	var want envfactory.EnvironmentRep
	next := 0
	fill(reflect.ValueOf(&want).Elem(), &next)
	text, err := json.Marshal(want)
	require.NoError(t, err)

	c := cursor{text: text}
	var fields environmentFields
	c.environment(&fields)
	require.True(t, c.ends(), "it is left to encoding/json: %v", c.err)
	got := fields.rep(string(text))
	for _, field := range reflect.VisibleFields(reflect.TypeFor[envfactory.EnvironmentRep]()) {
		assert.Equal(t, reflect.ValueOf(want).FieldByIndex(field.Index).Interface(), reflect.ValueOf(got).FieldByIndex(field.Index).Interface(),
			"EnvironmentRep.%s", field.Name)
	}
}
