package keepalive

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unhex decodes bytes written as in the package comment.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return data
}

func TestMessagesGoOutInCanonicalCBORAndComeBack(t *testing.T) {
	for name, row := range map[string]struct {
		message Message
		bytes   string
	}{
		"KeepAlive, cookie 0":              {NewMsgKeepAlive(0), "82 00 00"},
		"KeepAlive, longest one byte":      {NewMsgKeepAlive(23), "82 00 17"},
		"KeepAlive, shortest two bytes":    {NewMsgKeepAlive(24), "82 00 18 18"},
		"KeepAlive, longest two bytes":     {NewMsgKeepAlive(255), "82 00 18 ff"},
		"KeepAlive, shortest three bytes":  {NewMsgKeepAlive(256), "82 00 19 0100"},
		"KeepAlive, as in the doc":         {NewMsgKeepAlive(999), "82 00 19 03e7"},
		"KeepAlive, greatest cookie":       {NewMsgKeepAlive(65535), "82 00 19 ffff"},
		"KeepAliveResponse, cookie 0":      {NewMsgKeepAliveResponse(0), "82 01 00"},
		"KeepAliveResponse, as in the doc": {NewMsgKeepAliveResponse(999), "82 01 19 03e7"},
		"KeepAliveResponse, greatest":      {NewMsgKeepAliveResponse(65535), "82 01 19 ffff"},
		"Done":                             {NewMsgDone(), "81 02"},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := row.message.MarshalCBOR()
			require.NoError(t, err)
			assert.Equal(t, unhex(t, row.bytes), data)

			got, err := NewMsgFromCBOR(uint(row.message.Type()), data)
			require.NoError(t, err)
			assert.Equal(t, row.message, got)
		})
	}
}

func TestAnyValidCBORIsRead(t *testing.T) {
	for name, row := range map[string]struct {
		bytes string
		want  Message
	}{
		"array length in one byte":    {"98 02 00 07", NewMsgKeepAlive(7)},
		"array length in eight bytes": {"9b 0000000000000002 00 07", NewMsgKeepAlive(7)},
		"type in one byte":            {"82 18 00 07", NewMsgKeepAlive(7)},
		"type in eight bytes":         {"82 1b 0000000000000001 07", NewMsgKeepAliveResponse(7)},
		"cookie in one byte":          {"82 00 18 07", NewMsgKeepAlive(7)},
		"cookie in two bytes":         {"82 00 19 0007", NewMsgKeepAlive(7)},
		"cookie in four bytes":        {"82 01 1a 00000007", NewMsgKeepAliveResponse(7)},
		"cookie in eight bytes":       {"82 01 1b 0000000000000007", NewMsgKeepAliveResponse(7)},
		"Done in full length":         {"9b 0000000000000001 1b 0000000000000002", NewMsgDone()},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := NewMsgFromCBOR(uint(row.want.Type()), unhex(t, row.bytes))
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
		})
	}
}

// mistakes are messages that are wrong in themselves, in every state.
var mistakes = map[string]struct {
	msgType uint
	bytes   string
	want    error
}{
	"not an array: integer":              {0, "00", ErrMalformed},
	"not an array: map":                  {0, "a1 00 00", ErrMalformed},
	"not an array: tag before it":        {0, "c1 82 00 07", ErrMalformed},
	"not an array: text":                 {0, "62 6f6b", ErrMalformed},
	"not an array: break":                {0, "ff", ErrMalformed},
	"not an array: null":                 {0, "f6", ErrMalformed},
	"empty array":                        {0, "80", ErrMalformed},
	"reserved length":                    {0, "9c 00 07", ErrMalformed},
	"array of 2^64-1 elements":           {0, "9b ffffffffffffffff", ErrMalformed},
	"indefinite array":                   {0, "9f 00 07 ff", ErrIndefinite},
	"indefinite array for Done":          {2, "9f 02 ff", ErrIndefinite},
	"indefinite string as cookie":        {0, "82 00 5f 41 07 ff", ErrIndefinite},
	"indefinite array as cookie":         {0, "82 00 9f 07 ff", ErrIndefinite},
	"unknown type 3":                     {3, "82 03 07", ErrUnknownType},
	"unknown type 255":                   {255, "82 18ff 07", ErrUnknownType},
	"type negative":                      {0, "82 20 07", ErrMalformed},
	"type null":                          {0, "82 f6 07", ErrMalformed},
	"type float":                         {0, "82 f90000 07", ErrMalformed},
	"type text":                          {0, "82 60 07", ErrMalformed},
	"KeepAlive without cookie":           {0, "81 00", ErrMalformed},
	"KeepAlive with two cookies":         {0, "83 00 07 07", ErrMalformed},
	"KeepAliveResponse without cookie":   {1, "81 01", ErrMalformed},
	"KeepAliveResponse with two cookies": {1, "83 01 07 07", ErrMalformed},
	"Done with a cookie":                 {2, "82 02 07", ErrMalformed},
	"cookie 65536":                       {0, "82 00 1a 00010000", ErrMalformed},
	"cookie 2^64-1":                      {0, "82 00 1b ffffffffffffffff", ErrMalformed},
	"cookie negative":                    {0, "82 00 20", ErrMalformed},
	"cookie null":                        {0, "82 00 f6", ErrMalformed},
	"cookie undefined":                   {0, "82 00 f7", ErrMalformed},
	"cookie false":                       {0, "82 00 f4", ErrMalformed},
	"cookie float":                       {0, "82 00 f94700", ErrMalformed},
	"cookie bytes":                       {0, "82 00 41 07", ErrMalformed},
	"cookie array":                       {0, "82 00 81 07", ErrMalformed},
	"cookie tagged":                      {0, "82 00 c1 07", ErrMalformed},
	"cookie bignum":                      {0, "82 00 c2 41 07", ErrMalformed},
	"longer than 64 bytes":               {0, "82 00 58 40" + strings.Repeat("00", 64), ErrTooLong},
	"text of 2^62 bytes":                 {0, "82 00 7b 4000000000000000" + strings.Repeat("61", 64), ErrTooLong},
}

func TestMistakesInOneMessage(t *testing.T) {
	for name, row := range mistakes {
		t.Run(name, func(t *testing.T) {
			_, err := NewMsgFromCBOR(row.msgType, unhex(t, row.bytes))
			require.ErrorIs(t, err, ErrProtocol)
			require.ErrorIs(t, err, row.want)
			var typed *ProtocolError
			require.ErrorAs(t, err, &typed)
			assert.NotEmpty(t, typed.Detail)
		})
	}
}

func TestMistakesOfAMessageGivenWhole(t *testing.T) {
	for name, row := range map[string]struct {
		msgType uint
		bytes   string
		want    error
	}{
		"no bytes":                {0, "", ErrMalformed},
		"cut off in the array":    {0, "82", ErrMalformed},
		"cut off in the cookie":   {0, "82 00 19 03", ErrMalformed},
		"a byte after it":         {0, "82 00 07 00", ErrTrailing},
		"a message after it":      {2, "81 02 81 02", ErrTrailing},
		"a break after it":        {2, "81 02 ff", ErrTrailing},
		"another type than said":  {0, "82 01 07", ErrOutOfTurn},
		"Done, said KeepAlive":    {0, "81 02", ErrOutOfTurn},
		"an unknown type is said": {3, "81 02", ErrUnknownType},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewMsgFromCBOR(row.msgType, unhex(t, row.bytes))
			require.ErrorIs(t, err, ErrProtocol)
			require.ErrorIs(t, err, row.want)
		})
	}
}

// readAll returns the messages of a source, and the error after them.
func readAll(source io.Reader) ([]Message, error) {
	messages := reader{source: source}
	var got []Message
	for {
		message, err := messages.next()
		if err != nil {
			return got, err
		}
		got = append(got, message)
	}
}

func TestBytesComeInAnyPieces(t *testing.T) {
	data := unhex(t, "82 00 19 03e7 81 02 82 01 00 82 00 18 ff")
	want := []Message{NewMsgKeepAlive(999), NewMsgDone(), NewMsgKeepAliveResponse(0), NewMsgKeepAlive(255)}
	many, manyWant := bytes.Repeat(data, 50), []Message{}
	for range 50 {
		manyWant = append(manyWant, want...)
	}
	for name, row := range map[string]struct {
		source io.Reader
		want   []Message
	}{
		"at once":                  {bytes.NewReader(data), want},
		"byte by byte":             {iotest.OneByteReader(bytes.NewReader(data)), want},
		"halves":                   {iotest.HalfReader(bytes.NewReader(data)), want},
		"the end with the last":    {iotest.DataErrReader(bytes.NewReader(data)), want},
		"more than the buffer has": {bytes.NewReader(many), manyWant},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(row.source)
			assert.Equal(t, io.EOF, err)
			assert.Equal(t, row.want, got)
		})
	}
}

func TestAnEndWithinAMessageIsUnexpected(t *testing.T) {
	got, err := readAll(strings.NewReader("\x82\x00\x07\x82\x00\x19"))
	assert.Equal(t, []Message{NewMsgKeepAlive(7)}, got)
	assert.Equal(t, io.ErrUnexpectedEOF, err)
}

func TestAMessageOf64BytesIsReadToItsEnd(t *testing.T) {
	// 64 bytes that are well-formed: too much for a message, and yet not too long.
	whole := "82 00 58 3c" + strings.Repeat("00", 60)
	_, err := readAll(bytes.NewReader(unhex(t, whole)))
	require.ErrorIs(t, err, ErrMalformed)
	_, err = readAll(bytes.NewReader(unhex(t, "82 00 58 3d"+strings.Repeat("00", 61))))
	require.ErrorIs(t, err, ErrTooLong)
}

func FuzzDecode(f *testing.F) {
	for _, row := range mistakes {
		f.Add(unhex(f, row.bytes))
	}
	f.Add(unhex(f, "82 00 19 03e7 81 02 82 01 1b 0000000000000007 9f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		source := &countingReader{source: bytes.NewReader(data)}
		got, err := readAll(source)
		pieces, errPieces := readAll(iotest.OneByteReader(bytes.NewReader(data)))
		assert.Equal(t, got, pieces, "messages depend on the pieces")
		assert.Equal(t, err.Error(), errPieces.Error(), "the error depends on the pieces")
		assert.LessOrEqual(t, source.longest, MaxMessageSize, "asked for more than a message")

		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			require.ErrorIs(t, err, ErrProtocol)
		}
		for _, message := range got {
			canonical, err := message.MarshalCBOR()
			require.NoError(t, err)
			again, err := NewMsgFromCBOR(uint(message.Type()), canonical)
			require.NoError(t, err)
			assert.Equal(t, message, again)
		}
		for msgType := range uint(4) {
			message, err := NewMsgFromCBOR(msgType, data)
			if err != nil {
				require.ErrorIs(t, err, ErrProtocol)
			} else if len(got) != 1 || message.Type() != got[0].Type() {
				t.Errorf("NewMsgFromCBOR reads %v, the stream %v", message, got)
			}
		}
	})
}

// countingReader knows the longest Read.
type countingReader struct {
	source  io.Reader
	longest int
}

func (r *countingReader) Read(p []byte) (int, error) {
	r.longest = max(r.longest, len(p))
	return r.source.Read(p)
}

func TestDecodingTakesBoundedMemory(t *testing.T) {
	hostile := unhex(t, "82 00 7b 4000000000000000"+strings.Repeat("61", 1<<16))
	const runs = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		_, err := readAll(bytes.NewReader(hostile))
		require.ErrorIs(t, err, ErrTooLong)
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, (after.TotalAlloc-before.TotalAlloc)/runs, uint64(16<<10), "bytes for a message of 64 KiB")
}
