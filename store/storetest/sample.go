package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// savedAt has nanoseconds, and no zone that could get lost.
var savedAt = time.Date(2026, 11, 21, 12, 34, 56, 789012345, time.UTC)

// sample returns a snapshot in which every field is set, those too that are added one day: they are found by
// reflection.
func sample(t *testing.T) *autoconfig.Snapshot {
	t.Helper()
	snapshot := &autoconfig.Snapshot{}
	filler := filler{}
	if err := filler.fill(reflect.ValueOf(snapshot).Elem(), ""); err != nil {
		t.Fatal(err)
	}
	snapshot.FormatVersion = autoconfig.SnapshotFormat
	return snapshot
}

// awkward has the characters that go wrong where text is escaped or cut.
const awkward = " \"'<>&\\/\u2028 äß漢😀"

// filler sets fields to values that all differ from each other.
type filler struct{ count int }

func (f *filler) fill(v reflect.Value, name string) error {
	f.count++
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(savedAt.Add(time.Duration(f.count))))
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint(name, "-", f.count, awkward))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.count))
	case reflect.Uint64:
		v.SetUint(uint64(f.count) << 40) // as times are, larger than 32 bits
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return f.fill(v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			if err := f.fill(v.Field(i), v.Type().Field(i).Name); err != nil {
				return err
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			if err := f.fill(v.Index(i), name); err != nil {
				return err
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			if err := f.fill(key, name+"Key"); err != nil {
				return err
			}
			if err := f.fill(value, name); err != nil {
				return err
			}
			v.SetMapIndex(key, value)
		}
	default:
		return fmt.Errorf("the sample has no value for the field %s, which is a %s: teach filler about it", name, v.Type())
	}
	return nil
}

// uniform returns a snapshot whose environments all have the same version, so that a mix of two can be told.
func uniform(environments, version int) *autoconfig.Snapshot {
	snapshot := &autoconfig.Snapshot{
		FormatVersion: autoconfig.SnapshotFormat,
		SavedAt:       savedAt.Add(time.Duration(version) * time.Second),
		Environments:  make(map[config.EnvironmentID]envfactory.EnvironmentRep, environments),
		Filters:       map[config.FilterID]envfactory.FilterRep{},
	}
	for i := range environments {
		id := config.EnvironmentID(fmt.Sprintf("env%024d", i))
		snapshot.Environments[id] = envfactory.EnvironmentRep{
			EnvID:   id,
			MobKey:  config.MobileKey(fmt.Sprintf("mob-%d-%d", version, i)),
			SDKKey:  envfactory.SDKKeyRep{Value: config.SDKKey(fmt.Sprintf("sdk-%d-%d", version, i))},
			Version: version,
		}
	}
	return snapshot
}

// large returns a snapshot of environments as services send them, with a list of keys.
func large(environments int) *autoconfig.Snapshot {
	snapshot := uniform(environments, 1)
	for id, env := range snapshot.Environments {
		env.EnvKey, env.EnvName, env.ProjKey, env.ProjName = "production", "Production", "web", "Web shop"
		env.SDKKeys = []envfactory.ConcurrentKeyRep{{Key: "default", Value: string(env.SDKKey.Value)}}
		snapshot.Environments[id] = env
	}
	return snapshot
}
