package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/autoconfig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is the place of memoryStores, which are the simplest thing that conforms.
type memory struct {
	mu   sync.Mutex
	data []byte
}

type memoryStore struct{ *memory }

func (s memoryStore) Load(ctx context.Context) (*autoconfig.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil || s.data == nil {
		return nil, err
	}
	var snapshot autoconfig.Snapshot
	if err := json.Unmarshal(s.data, &snapshot); err != nil {
		return nil, err
	}
	return &snapshot, nil
}

func (s memoryStore) Save(ctx context.Context, snapshot *autoconfig.Snapshot) error {
	if snapshot == nil {
		return errors.New("nil")
	}
	data, err := json.Marshal(snapshot)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	s.data = data
	return nil
}

func TestTheSimplestStorePasses(t *testing.T) {
	Run(t, func(*testing.T) Subject {
		place := &memory{}
		return Subject{Store: memoryStore{place}, Another: func(*testing.T) autoconfig.Store { return memoryStore{place} }}
	})
}

func TestAStoreWithoutHooksIsTestedAsFarAsPossible(t *testing.T) {
	run(t, func(*testing.T) Subject { return Subject{Store: memoryStore{&memory{}}} }, 10)
}

func TestEveryFieldOfTheSampleIsSet(t *testing.T) {
	requireSet(t, reflect.ValueOf(sample(t)), "Snapshot")
}

func requireSet(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	require.False(t, v.IsZero(), name)
	switch v.Kind() {
	case reflect.Pointer:
		requireSet(t, v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				requireSet(t, v.Field(i), name+"."+v.Type().Field(i).Name)
			}
		}
	case reflect.Slice:
		require.NotZero(t, v.Len(), name)
		for i := range v.Len() {
			requireSet(t, v.Index(i), name)
		}
	case reflect.Map:
		require.NotZero(t, v.Len(), name)
		for _, key := range v.MapKeys() {
			requireSet(t, v.MapIndex(key), name)
		}
	}
}

func TestAFieldThatNobodyCanFillIsAnError(t *testing.T) {
	var strange struct{ Strange chan int }
	err := (&filler{}).fill(reflect.ValueOf(&strange).Elem(), "")
	require.ErrorContains(t, err, "Strange")
}

func TestAnyLostFieldIsADifference(t *testing.T) {
	require.Empty(t, difference(sample(t), sample(t)))
	changes := map[string]func(s *autoconfig.Snapshot){
		"format":               func(s *autoconfig.Snapshot) { s.FormatVersion = 0 },
		"time":                 func(s *autoconfig.Snapshot) { s.SavedAt = s.SavedAt.Truncate(1000) },
		"time of confirmation": func(s *autoconfig.Snapshot) { s.ConfirmedAt = s.ConfirmedAt.Truncate(1000) },
		"environments":         func(s *autoconfig.Snapshot) { s.Environments = nil },
		"a filter":             func(s *autoconfig.Snapshot) { clear(s.Filters) },
		"a field of a filter":  func(s *autoconfig.Snapshot) { changeAny(s.Filters) },
		"an environment's own": func(s *autoconfig.Snapshot) { changeAny(s.Environments) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			changed := sample(t)
			change(changed)
			assert.NotEmpty(t, difference(sample(t), changed))
		})
	}
}

// changeAny sets the last field of one of the values, which is its version, to zero.
func changeAny[K comparable, V any](m map[K]V) {
	for key, value := range m {
		v := reflect.ValueOf(&value).Elem()
		v.Field(v.NumField() - 1).SetZero()
		m[key] = value
		return
	}
}
