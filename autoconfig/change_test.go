package autoconfig

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Changes writes down the changes among the calls, once keepTexts was called.
func (r *relay) Changes(put bool, changes []Change) {
	r.mu.Lock()
	texts := r.texts
	r.mu.Unlock()
	if texts == nil {
		return
	}
	var all []string
	for _, c := range changes {
		all = append(all, fmt.Sprintf("%s %s %d", c.Kind, c.ID, c.Version))
		changed := c.Kind == EnvironmentChanged || c.Kind == FilterChanged
		if changed != (c.Text != nil) {
			all = append(all, "text where there must be none, or none where there must be one")
		}
		texts[c.ID] = string(c.Text)
	}
	kind := "event:"
	if put {
		kind = "put:"
	}
	r.called("%s", strings.Join(append([]string{kind}, strings.Join(all, ", ")), " "))
}

// keepTexts returns the newest text of each id, from now on.
func (r *relay) keepTexts() map[string]string {
	texts := map[string]string{}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = texts
	return texts
}

func TestChanges(t *testing.T) {
	type step struct {
		name, event string
		calls       []string
		texts       map[string]string
	}
	reworded := env("a", 4, `"later":"other"`)
	steps := []step{
		{"a patch before the first put", eventText(PatchEvent, patchEnv("z", 1)), []string{"event: ENVIRONMENT_CHANGED z 1", "add z"}, map[string]string{"z": env("z", 1)}},
		{"a put", eventText(PutEvent, putWith([]string{listedEnv("a", 3, `"later":[1, 2]`), listedEnv("b", 1)}, []string{member("f", filter("f", 1))})),
			[]string{"put: ENVIRONMENT_CHANGED a 3, ENVIRONMENT_CHANGED b 1, FILTER_CHANGED f 1, ENVIRONMENT_REMOVED z 0", "add a", "add b", "add filter f", "delete z", "all"},
			map[string]string{"a": env("a", 3, `"later":[1, 2]`), "f": filter("f", 1), "z": ""}},
		{"the same put", eventText(PutEvent, putWith([]string{listedEnv("a", 3, `"later":[1, 2]`), listedEnv("b", 1)}, []string{member("f", filter("f", 1))})),
			[]string{"put: ", "all"}, nil},
		{"a patch", eventText(PatchEvent, patchEnv("a", 4, `"later":"x"`)), []string{"event: ENVIRONMENT_CHANGED a 4", "update a"},
			map[string]string{"a": env("a", 4, `"later":"x"`)}},
		{"an old patch", eventText(PatchEvent, patchEnv("a", 4, `"later":"y"`)), nil, nil},
		{"a delete of an id that was never seen", eventText(DeleteEvent, deletion("/environments/x", 7)), []string{"event: ENVIRONMENT_DELETED x 7"}, map[string]string{"x": ""}},
		{"a newer delete of it", eventText(DeleteEvent, deletion("/environments/x", 8)), []string{"event: ENVIRONMENT_DELETED x 8"}, nil},
		{"a delete", eventText(DeleteEvent, deletion("/environments/b", 2)), []string{"event: ENVIRONMENT_DELETED b 2", "delete b"}, map[string]string{"b": ""}},
		{"a filter patched and deleted", eventText(PatchEvent, patchFilter("f", 2)) + eventText(DeleteEvent, deletion("/filters/f", 3)),
			[]string{"event: FILTER_CHANGED f 2", "event: FILTER_DELETED f 3", "delete filter f"}, nil},
		{"another text at the same version", eventText(PutEvent, put(member("a", reworded))), []string{"put: ENVIRONMENT_CHANGED a 4", "all"}, map[string]string{"a": reworded}},
		{"and again with each such put", eventText(PutEvent, put(member("a", reworded))), []string{"put: ENVIRONMENT_CHANGED a 4", "all"}, nil},
		{"a put that clears tombstones alone", eventText(PutEvent, put(listedEnv("a", 4, `"later":"x"`))), []string{"put: ", "all"}, nil},
		{"which a patch shows", eventText(PatchEvent, patchEnv("x", 1)), []string{"event: ENVIRONMENT_CHANGED x 1", "add x"}, nil},
		{"malformed keys and a misplaced environment", eventText(PutEvent, put(listedEnv("a", 5, `"sdkKey":{"value":""}`), listedEnv("x", 1), member("y", env("q", 1)))), []string{"put: ", "all"}, nil},
	}
	inBubble(t, func(t *testing.T, r *rig) {
		texts := r.relay.keepTexts()
		e := r.service.stream("")
		for _, step := range steps {
			e.send(step.event)
			got := r.relay.take()
			require.Equal(t, step.calls, got, step.name)
			for id, want := range step.texts {
				require.Equal(t, want, texts[id], step.name)
			}
		}
	}, WithProtocolVersion(2))
}

func TestChangesOfAStoredConfiguration(t *testing.T) {
	withStore(t, func(t *testing.T) *memory {
		return &memory{stored: storedWithTexts(t).stored, loadFor: time.Millisecond}
	}, func(t *testing.T, r *rig, m *memory) {
		texts := r.relay.keepTexts()
		time.Sleep(time.Millisecond)
		r.wants("put: ENVIRONMENT_CHANGED a 3, ENVIRONMENT_CHANGED b 1, ENVIRONMENT_DELETED c 5", "add a", "add b", "all")
		assert.Equal(t, env("a", 3, `"later":"x"`), texts["a"])
		assert.Equal(t, SourceStore, r.manager.Status().Source)
		r.service.stream(eventText(PutEvent, put(listedEnv("a", 3, `"later":"x"`), listedEnv("b", 1))))
		r.wants("put: ", "all")
	})
}
