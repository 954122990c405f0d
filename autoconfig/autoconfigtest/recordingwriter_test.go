package autoconfigtest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecordingWriterWritesARecording(t *testing.T) {
	var text bytes.Buffer
	w := NewRecordingWriter(&text)
	require.NoError(t, w.Recorded(time.Date(2026, 11, 20, 13, 0, 0, 0, time.FixedZone("CET", 3600))))
	require.NoError(t, w.Comment("hello"))
	require.NoError(t, w.Pause(1500*time.Millisecond))
	require.NoError(t, w.Event("put", []byte("{\n}")))
	require.NoError(t, w.Event("", nil))
	require.NoError(t, w.Comment("!bang"))
	require.NoError(t, w.Raw([]byte(":!!bang\n")))
	require.NoError(t, w.Raw([]byte("retry: 5\r\n:!x\r\n:!drop")))
	require.NoError(t, w.Drop())
	require.NoError(t, w.Status(503))
	require.NoError(t, w.Raw([]byte("data: {")))
	require.NoError(t, w.Raw(nil))
	assert.Equal(t, ":!recorded 2026-11-20T12:00:00Z\n: hello\n:!pause 1.5s\nevent: put\ndata: {\ndata: }\n\ndata: \n\n"+
		": !bang\n:!!!bang\nretry: 5\r\n:!!x\r\n:!!drop\n:!drop\n:!status 503\ndata: {", text.String())
	sent := bytes.Buffer{}
	for _, s := range segments(parse(t, text.String()).items) {
		for _, step := range s.steps {
			sent.Write(step.send)
		}
	}
	assert.Equal(t, ": hello\nevent: put\ndata: {\ndata: }\n\ndata: \n\n: !bang\n:!!bang\nretry: 5\r\n:!x\r\n:!drop\ndata: {",
		sent.String())
}

func TestRecordingWriterCarriesWhatItRoundsOff(t *testing.T) {
	var text bytes.Buffer
	w := NewRecordingWriter(&text)
	for range 10 {
		require.NoError(t, w.Pause(400*time.Microsecond))
	}
	require.NoError(t, w.Pause(1999*time.Microsecond))
	require.NoError(t, w.Pause(0))
	require.NoError(t, w.Pause(-time.Hour))
	require.NoError(t, w.Pause(time.Second+time.Microsecond))
	assert.Equal(t, strings.Repeat(":!pause 1ms\n", 5)+":!pause 1.001s\n", text.String())
}

func TestRecordingWriterRefusesWhatCanNotBeRead(t *testing.T) {
	var text bytes.Buffer
	w := NewRecordingWriter(&text)
	assert.ErrorContains(t, w.Event("a\nb", nil), "the name of an event can't have line breaks")
	assert.ErrorContains(t, w.Event("put", []byte("a\rb")), "can't have carriage returns")
	assert.ErrorContains(t, w.Comment("a\rb"), "a comment can't have line breaks")
	assert.ErrorContains(t, w.Status(100), "must be from 200 to 599")
	assert.ErrorContains(t, w.Recorded(time.Time{}), "within the years 1 to 9999")
	assert.Empty(t, text.String())
}

type fullDisk struct{ err error }

func (d fullDisk) Write([]byte) (int, error) { return 0, d.err }

func TestRecordingWriterReportsAFailedWrite(t *testing.T) {
	cause := errors.New("disk full")
	assert.ErrorIs(t, NewRecordingWriter(fullDisk{cause}).Drop(), cause)
}

// Whatever is written is read back as the same events, comments and directives.
func TestWhatRecordingWriterWritesIsReadBack(t *testing.T) {
	texts := []string{"", " hello", "hello", "!", "!!drop", "!pause 1s", "{}", "{\n\n}", "\n", ":!drop", "é\x00"}
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0))
		var text bytes.Buffer
		w := NewRecordingWriter(&text)
		var want []item
		line := func(s string) { want = append(want, item{kind: lineItem, line: []byte(s)}) }
		for range random.IntN(20) {
			some := texts[random.IntN(len(texts))]
			switch random.IntN(5) {
			case 0:
				require.NoError(t, w.Event("put", []byte(some)))
				line("event: put\n")
				for part := range bytes.SplitSeq([]byte(some), []byte("\n")) {
					line("data: " + string(part) + "\n")
				}
				line("\n")
			case 1:
				if !bytes.Contains([]byte(some), []byte("\n")) {
					require.NoError(t, w.Comment(some))
					line(strings.TrimSuffix(": "+some, " ") + "\n")
				}
			case 2:
				pause := time.Duration(1+random.IntN(1e6)) * time.Millisecond
				require.NoError(t, w.Pause(pause))
				want = append(want, item{kind: pauseItem, pause: pause})
			case 3:
				require.NoError(t, w.Drop())
				want = append(want, item{kind: dropItem})
			case 4:
				status := 200 + random.IntN(400)
				require.NoError(t, w.Status(status))
				want = append(want, item{kind: statusItem, status: status})
			}
		}
		require.Equal(t, want, parse(t, text.String()).items, "seed %d", seed)
	}
}
