package sse

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDataThatIsOneLineIsNotCopied(t *testing.T) {
	d := &data{chunkSize: 8}
	line := []byte("longer than a chunk")
	d.addLine(line)
	assert.Same(t, &line[0], &d.join()[0])
}

func TestDataThatWasSettledOutlivesTheReadBuffer(t *testing.T) {
	d := &data{chunkSize: 8}
	line := []byte("longer than a chunk")
	d.addLine(line)
	d.settle()
	clear(line)
	assert.Equal(t, "longer than a chunk", string(d.join()))

	copy(line, "a line that is long")
	d.addLine(line)
	d.startLine()
	clear(line)
	assert.Equal(t, "a line that is long\n", string(d.join()), "another line settles the first")
}

func TestDataIsJoinedAcrossChunks(t *testing.T) {
	for length := range 40 {
		d := &data{chunkSize: 8}
		line := strings.Repeat("x", length)
		for range 3 {
			d.addLine([]byte(line))
		}
		d.startLine()
		d.append([]byte("beginning,"))
		d.appendOwned([]byte("middle,"))
		d.append([]byte("end"))
		d.addLine([]byte(line))
		want := strings.Join([]string{line, line, line, "beginning,middle,end", line}, "\n")
		assert.Equal(t, want, string(d.join()))

		assert.False(t, d.any)
		d.addLine(nil)
		assert.True(t, d.any, "an empty line is a line")
		assert.Empty(t, d.join(), "join starts afresh")
	}
}
