//go:build linux && servers

package inlinekeepalive

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/relayconf/relayconf/link/internal/between"
)

// proxies cut a stream that is silent for 4 s. They speak HTTP/2 on both sides, without TLS.
var proxies = map[string]proxy{
	"nginx": {program: "/usr/sbin/nginx", args: []string{"-c"}, config: `
daemon off;
master_process off;
pid {{.Dir}}/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path {{.Dir}}/body;
  proxy_temp_path {{.Dir}}/proxy;
  fastcgi_temp_path {{.Dir}}/fastcgi;
  uwsgi_temp_path {{.Dir}}/uwsgi;
  scgi_temp_path {{.Dir}}/scgi;
  server {
    listen {{.Listen}} http2;
    client_body_timeout 4s;
    location / {
      grpc_pass grpc://{{.Service}};
      grpc_read_timeout 4s;
      grpc_send_timeout 4s;
    }
  }
}
`},
	"HAProxy": {program: "/usr/sbin/haproxy", args: []string{"-db", "-f"}, config: `
defaults
  mode http
  timeout connect 4s
  timeout client 4s
  timeout server 4s
frontend clients
  bind {{.Listen}} proto h2
  default_backend service
backend service
  server service {{.Service}} proto h2
`},
}

type proxy struct {
	program string // where Debian has it
	config  string // a template
	args    []string
}

// start runs the proxy until the test ends, and returns when it listens.
func (p proxy) start(t *testing.T, service string) (address string) {
	t.Helper()
	program, err := exec.LookPath(p.program)
	require.NoError(t, err, "install it: apt-get install nginx haproxy")
	address = between.FreeAddress(t)
	dir := t.TempDir()
	var config bytes.Buffer
	require.NoError(t, template.Must(template.New("").Parse(p.config)).Execute(&config,
		map[string]string{"Dir": dir, "Listen": address, "Service": service}))
	file := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(file, config.Bytes(), 0o600))

	var output bytes.Buffer
	command := exec.Command(program, append(p.args, file)...)
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also if the test is killed
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", p.program, output.String())
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 30*time.Second, 10*time.Millisecond, "%s does not listen", p.program)
	return address
}

// silence is so many keepalives, of 400 ms each: twice as long as the proxies bear.
const silence = 20

func TestBehindAProxyThatCutsSilentStreams(t *testing.T) {
	for name, proxy := range proxies {
		through := func(r *rig) { r.proxy = func(service string) string { return proxy.start(r.t, service) } }
		for kind, play := range map[string]func(t *testing.T, r *rig, ctx context.Context) error{
			"client-streaming": clientStreaming, "server-streaming": serverStreaming, "bidirectional": bidirectionally,
		} {
			t.Run(name+"/"+kind+" without is cut", func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				require.Error(t, play(t, startRig(t, through), ctx))
				assert.NoError(t, ctx.Err(), "nobody cut it")
			})
			t.Run(name+"/"+kind+" with lives", func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				require.NoError(t, play(t, startRig(t, through, newPeers(WithInterval(400*time.Millisecond))), ctx))
			})
		}
	}
}

// clientStreaming ends its stream after a long silence.
func clientStreaming(t *testing.T, r *rig, ctx context.Context) error {
	stream, err := r.client.StreamingInputCall(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(input("four")))
	silent, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if await(silent, func() bool { return len(r.atServer.arrived()) >= silence }) {
			assert.NoError(t, stream.CloseSend())
		}
	}()
	answer := &testpb.StreamingInputCallResponse{}
	err = stream.RecvMsg(answer)
	if err == nil {
		assert.Equal(t, int32(4), answer.GetAggregatedPayloadSize())
	}
	return err
}

// serverStreaming waits for a message that comes after a long silence.
func serverStreaming(t *testing.T, r *rig, ctx context.Context) error {
	stream, err := r.client.StreamingOutputCall(ctx, duplex(""))
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
	silent, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if await(silent, func() bool { return len(r.atClient.arrived()) >= silence }) {
			close(r.service.finish)
		}
	}()
	message, err := stream.Recv()
	if err == nil {
		assert.Equal(t, "last", string(message.GetPayload().GetBody()))
	}
	return err
}

// bidirectionally sends a message after a long silence.
func bidirectionally(t *testing.T, r *rig, ctx context.Context) error {
	stream, err := r.client.FullDuplexCall(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(duplex("first")))
	_, err = stream.Recv()
	require.NoError(t, err)
	silent, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if await(silent, func() bool { return len(r.atServer.arrived()) >= silence && len(r.atClient.arrived()) >= silence }) {
			assert.NoError(t, stream.Send(duplex("hello")))
		}
	}()
	message, err := stream.Recv()
	if err == nil {
		assert.Equal(t, "hello", string(message.GetPayload().GetBody()))
	}
	return err
}

// await looks again and again whether something is so, until the context ends.
func await(ctx context.Context, so func() bool) bool {
	for !so() {
		if !pause(ctx, 10*time.Millisecond) {
			return false
		}
	}
	return true
}
