package hub

import (
	"bytes"
	"compress/gzip"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/digest"
)

func randomText(random *rand.Rand, n int) []byte {
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(random.IntN(1 << random.IntN(9)))
	}
	return text
}

func sumOf(text []byte) checksum {
	return checksum{crc: crc32.ChecksumIEEE(text), length: uint32(len(text)), shift: shiftOver(len(text))}
}

func TestChecksumsOfConsecutiveTextsCombine(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var whole []byte
		var sum checksum
		for range random.IntN(6) {
			part := randomText(random, random.IntN(5000)*random.IntN(2))
			whole = append(whole, part...)
			sum.append(sumOf(part))
		}
		require.Equal(t, crc32.ChecksumIEEE(whole), sum.crc)
		require.Equal(t, uint32(len(whole)), sum.length)
	}
}

// TestAStreamOfPiecesIsGzip reads each event as soon as it is there, and the checksum at the end.
func TestAStreamOfPiecesIsGzip(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	in, out := io.Pipe()
	defer in.Close()
	events := make(chan []byte)
	go func() {
		defer out.Close()
		_, _ = out.Write(gzipHeader)
		var sum checksum
		for i := range 30 {
			size := smallPiece
			if i%10 == 9 {
				size = largePiece
			}
			d := newDeflater(size)
			text := randomText(random, 1+random.IntN(20_000))
			_, _ = d.Write(text[:len(text)/2])
			_, _ = d.Write(text[len(text)/2:])
			z := d.finish()
			sum.append(z.sum)
			id, idSum := appendID(nil, digest.Digest{}, gzipped)
			sum.append(idSum)
			plainID, _ := appendID(nil, digest.Digest{}, plain)
			events <- append(text, plainID...)
			_, _ = out.Write(append(z.data, id...))
		}
		close(events)
		_, _ = out.Write(gzipTrailer(sum))
	}()
	reader, err := gzip.NewReader(in)
	require.NoError(t, err)
	for event := range events {
		got := make([]byte, len(event))
		_, err := io.ReadFull(reader, got)
		require.NoError(t, err)
		require.True(t, bytes.Equal(event, got))
	}
	rest, err := io.ReadAll(reader)
	require.NoError(t, err, "the checksum and the length must be right")
	assert.Empty(t, rest)
}
