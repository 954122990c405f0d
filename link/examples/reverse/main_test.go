package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wantOutput is a call before the line was cut, and one after it came back.
const wantOutput = `the worker starts
worker-1: connected
hub: worker-1 answers: hello to you, too
the line is cut
worker-1: not connected
hub: worker-1: Unavailable
the line is back
worker-1: connected
hub: worker-1 answers: hello again to you, too
`

func TestTheHubCallsTheWorkerAfterTheLineWasCutAndCameBack(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out strings.Builder
	require.NoError(t, demo(ctx, &out))
	assert.Equal(t, wantOutput, out.String())
}
