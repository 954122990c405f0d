package output

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// pieces notes how large the largest write was.
type pieces struct{ largest, total int }

func (p *pieces) Write(data []byte) (int, error) {
	p.largest = max(p.largest, len(data))
	p.total += len(data)
	return len(data), nil
}

func manyEnvironments(n int) (s change.Snapshot) {
	for i := range n {
		s.Environments = append(s.Environments, &envfactory.EnvironmentParams{
			EnvID:              config.EnvironmentID(fmt.Sprintf("5f1b0c7e%016d", i)),
			SDKKey:             "sdk-00000000-0000-4000-8000-000000000001",
			AcceptedSDKKeys:    []envfactory.AcceptedSDKKey{{Name: "default", Value: "sdk-00000000-0000-4000-8000-000000000001"}},
			AcceptedMobileKeys: []envfactory.AcceptedMobileKey{{Name: "default", Value: "mob-00000000-0000-4000-8000-000000000001"}},
		})
	}
	return s
}

func TestTheFileIsWrittenPieceByPiece(t *testing.T) {
	const n = 10_000
	snapshot := manyEnvironments(n)
	var out pieces
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, Encode(&out, snapshot, time.Now()))
	runtime.ReadMemStats(&after)
	assert.Greater(t, out.total, n*500)
	assert.Less(t, out.largest, 2000, "no write is larger than an environment")
	assert.Less(t, (after.TotalAlloc-before.TotalAlloc)/n, uint64(1500), "bytes for each environment, all garbage counted")
}

func TestAFileWithoutAnythingInIt(t *testing.T) {
	read, write := io.Pipe()
	go func() { write.CloseWithError(Encode(write, change.Snapshot{}, time.Unix(0, 0))) }()
	text, err := io.ReadAll(read)
	require.NoError(t, err)
	assert.Equal(t, `{
  "format": "relayconf-environments",
  "version": 1,
  "writtenAt": "1970-01-01T00:00:00.000Z",
  "environments": [],
  "filters": []
}
`, string(text))
}

// full is a disk with room for so many writes.
type full int

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if *f--; *f < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestEachFailureToWriteIsTold(t *testing.T) {
	room := full(1 << 20)
	require.NoError(t, Encode(&room, manyEnvironments(2), time.Now()))
	for writes := range 1<<20 - room {
		require.ErrorIs(t, Encode(&writes, manyEnvironments(2), time.Now()), errFull)
	}
}
