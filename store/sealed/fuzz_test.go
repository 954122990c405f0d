package sealed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzOpen(f *testing.F) {
	box, err := NewBox(key, nil, 1<<20)
	require.NoError(f, err)
	sealed := seal(f, box)
	f.Add(sealed)
	f.Add(sealed[:HeaderSize])
	f.Add([]byte(magic))
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := box.Open(slices.Clone(data))
		if err != nil {
			requireTyped(t, err)
			// The header with a right checksum gets further.
			if len(data) >= HeaderSize {
				copy(data, magic)
				binary.BigEndian.PutUint32(data[84:], crc32.ChecksumIEEE(data[:84]))
				if _, err := box.Open(data); err != nil {
					requireTyped(t, err)
				}
			}
		}
	})
}

func FuzzUnpack(f *testing.F) {
	packed, err := pack(nil, newSnapshot(), 1<<20)
	require.NoError(f, err)
	f.Add(packed)
	f.Add(packed[:20])
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := unpack(data, 1<<20); err != nil {
			requireTyped(t, err)
		}
	})
}

func requireTyped(t *testing.T, err error) {
	t.Helper()
	typed := []error{ErrForeign, ErrNewerFormat, ErrTruncated, ErrDamaged, ErrWrongKey, ErrTooLarge}
	require.True(t, slices.ContainsFunc(typed, func(want error) bool { return errors.Is(err, want) }), err.Error())
}
