package autoconfig

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIDsOfEventsThatWereReceived(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, test := range []struct {
		rule, received string
		want           []string
	}{
		{"nothing", "", nil},
		{"patches and deletes", eventText(PatchEvent, patchEnv("a", 1)) + eventText(DeleteEvent, deletion("/environments/b", 2)), []string{"a", "b"}},
		{"white space", "event:patch\ndata:{ \"path\" : \"/environments/a\"}\n\n", []string{"a"}},
		{"no id", eventText(PatchEvent, `{"path":"/filters/f"}`) + eventText(PatchEvent, patchEnv("a", 1)) + "\n\n", []string{"a"}},
		{"a path that comes late", eventText(PatchEvent, `{"data":{"envName":"`+long+`"},"path":"/environments/a"}`), nil},
		{"an id that does not end in time", eventText(PatchEvent, patchEnv(long, 1)), nil},
		{"an event that is not there as a whole", eventText(PatchEvent, patchEnv("a", 1))[:100] + long, nil},
		{"other line ends", "event: patch\r\ndata: {\"path\":\"/environments/a\"}\r\n\r\n", nil},
	} {
		t.Run(test.rule, func(t *testing.T) {
			var got []string
			for _, id := range idsIn([]byte(test.received), nil) {
				got = append(got, string(id))
			}
			assert.Equal(t, test.want, got)
		})
	}
	assert.Len(t, idsIn([]byte(strings.Repeat("data: \"/environments/a\"\n\n", 1000)), nil), lookahead, "no more than are looked up")
}

func TestLookingAheadChangesNothing(t *testing.T) {
	s := newState()
	for i := range 3 {
		s.apply(must(decode(PatchEvent, []byte(patchEnv(fmt.Sprint(i), 1)))), epoch)
	}
	s.apply(must(decode(DeleteEvent, []byte(deletion("/environments/1", 2)))), epoch)
	before, revision := s.params(epoch), s.revision()
	d := newDecoder(&s.environments)
	d.lookAhead([]byte(eventText(PatchEvent, patchEnv("0", 2)) + eventText(DeleteEvent, deletion("/environments/1", 3)) + eventText(PatchEvent, patchEnv("7", 1))))
	assert.Equal(t, before, s.params(epoch))
	assert.Equal(t, revision, s.revision())
	assert.Len(t, s.environments.items, 3)
}

func must(m message, err error) message {
	if err != nil {
		panic(err)
	}
	return m
}
