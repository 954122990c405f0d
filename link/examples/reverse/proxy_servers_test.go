//go:build linux && servers

package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/link/internal/between"
)

func TestTheHubCallsTheWorkerBehindAProxyThatWasKilledAndCameBack(t *testing.T) {
	for name, program := range between.Programs {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			h := newHub()
			defer h.close()
			server := httptest.NewServer(h)
			defer server.Close()
			proxy := program.Run(t, strings.TrimPrefix(server.URL, "http://"), false)
			var out strings.Builder
			require.NoError(t, greetAcrossACut(ctx, h, "ws://"+proxy.Address+"/", proxy.Kill, proxy.Start, &out))
			assert.Equal(t, wantOutput, out.String())
		})
	}
}
