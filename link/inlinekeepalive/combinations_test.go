package inlinekeepalive

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testpb "google.golang.org/grpc/interop/grpc_testing"
)

// everyHalfMinute is when keepalives arrive in four minutes.
var everyHalfMinute = []float64{30, 60, 90, 120, 150, 180, 210, 240}

func TestAllCombinationsOfPeersAndKindsOfStreams(t *testing.T) {
	none := []float64{}
	early := func(r *rig) { r.service.early = true }
	for name, row := range map[string]struct {
		peers []rigOption
		// keepalives that arrive at the server, of client-streaming and bidirectional streams
		atServer []float64
		// keepalives that arrive at the client, of server-streaming and bidirectional streams
		atClient []float64
	}{
		"old client, old server": {nil, none, none},
		"old client, new server": {[]rigOption{newServer()}, none, none},
		"new client, old server": {[]rigOption{newClient(), func(r *rig) { r.withoutVersionInfo = true }}, none, none},
		// As behind a balancer, where another server answers GetVersionInfo.
		"new client, old server that lists the feature":                         {[]rigOption{newClient()}, none, none},
		"new client, old server that lists the feature and has an early header": {[]rigOption{newClient(), early}, none, none},
		"new client, new server":                                                {[]rigOption{newPeers()}, everyHalfMinute, everyHalfMinute},
		"new client, new server with an early header":                           {[]rigOption{newPeers(), early}, everyHalfMinute, everyHalfMinute},
		"new client, new server without version info":                           {[]rigOption{newPeers(), func(r *rig) { r.withoutVersionInfo = true }}, none, everyHalfMinute},
	} {
		t.Run(name+"/client-streaming", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := startRig(t, row.peers...)
				stream, err := r.client.StreamingInputCall(t.Context())
				require.NoError(t, err)
				sleep(4 * time.Minute)
				assert.Equal(t, row.atServer, r.atServer.arrived())
				require.NoError(t, stream.Send(input("four")))
				answer, err := stream.CloseAndRecv()
				require.NoError(t, err)
				assert.Equal(t, int32(4), answer.GetAggregatedPayloadSize())
				assert.Empty(t, r.atClient.arrived())
			})
		})
		t.Run(name+"/server-streaming", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := startRig(t, row.peers...)
				stream, err := r.client.StreamingOutputCall(t.Context(), duplex(""))
				require.NoError(t, err)
				first, err := stream.Recv()
				require.NoError(t, err)
				assert.Equal(t, "first", string(first.GetPayload().GetBody()))
				go func() {
					time.Sleep(4*time.Minute + 1)
					close(r.service.finish)
				}()
				last, err := stream.Recv() // sees keepalives only inside
				require.NoError(t, err)
				assert.Equal(t, "last", string(last.GetPayload().GetBody()))
				_, err = stream.Recv()
				assert.Equal(t, io.EOF, err)
				assert.Equal(t, row.atClient, r.atClient.arrived())
				assert.Empty(t, r.atServer.arrived())
			})
		})
		t.Run(name+"/bidirectional", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := startRig(t, row.peers...)
				stream, err := r.client.FullDuplexCall(t.Context())
				require.NoError(t, err)
				answers := make(chan string)
				go func() {
					defer close(answers)
					for {
						message, err := stream.Recv()
						if err != nil {
							assert.Equal(t, io.EOF, err)
							return
						}
						answers <- string(message.GetPayload().GetBody())
					}
				}()
				sleep(4 * time.Minute)
				assert.Equal(t, row.atServer, r.atServer.arrived())
				assert.Equal(t, row.atClient, r.atClient.arrived())
				require.NoError(t, stream.Send(duplex("hello")))
				assert.Equal(t, "hello", <-answers)
				require.NoError(t, stream.CloseSend())
				_, more := <-answers
				assert.False(t, more, "the application saw a keepalive")
			})
		})
	}
}

func TestUnaryCallsAreUntouched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := startRig(t, newPeers())
		_, err := r.client.EmptyCall(context.Background(), &testpb.Empty{})
		assert.ErrorContains(t, err, "not implemented") // by this service: the call came through
	})
}
