package agent

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/rpc/rpcpb"
	"github.com/relayconf/relayconf/link/wsmux"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey config.AutoConfigKey = "rel-00000000-0000-4000-8000-00000000c0de"
	soon                         = time.Minute
)

func TestLinkURL(t *testing.T) {
	for uri, want := range map[string]string{
		"ws://hub:8030/link": "ws://hub:8030/link", "wss://hub/a/link?x=1": "wss://hub/a/link?x=1",
		"http://hub:8030": "ws://hub:8030/link", "https://hub/": "wss://hub/link",
		"": "", "hub:8030": "", "ftp://hub/link": "", "ws://": "", "ws://user:hunter2@hub/link": "",
	} {
		got, err := linkURL(uri)
		assert.Equal(t, want, got, uri)
		assert.Equal(t, want == "", err != nil, uri)
		if err != nil {
			assert.NotContains(t, err.Error(), "hunter2")
		}
	}
}

func newManager(t *testing.T, url string) *autoconfig.StreamManager {
	m := autoconfig.NewStreamManager(testKey, url, autoconfigtest.NewRecorder(), httpconfig.HTTPConfig{}, time.Millisecond, ldlog.NewDisabledLoggers())
	t.Cleanup(func() {
		m.Close()
		<-m.Done()
	})
	return m
}

func TestNamesAreChecked(t *testing.T) {
	m := newManager(t, "http://127.0.0.1:1")
	for _, name := range []string{"tab\there", strings.Repeat("x", rpc.MaxNameLength+1)} {
		_, err := New(m, "ws://hub/link", WithName(name))
		assert.Error(t, err, name)
	}
	a, err := New(m, "ws://hub/link")
	require.NoError(t, err)
	assert.NotEmpty(t, a.Name(), "the host's name")
	a.Close()
}

// testHub accepts links as a hub does, and keeps the introductions, keys and reports.
type testHub struct {
	agentpb.UnimplementedPresenceServer
	clients *rpc.Clients
	streams *rpc.StreamServer
	reports chan *agentpb.ReportRequest
	refuse  chan error // answers for the next relays that want a name
	in      chan *agentpb.Introduction
	keys    chan string
	session chan *yamux.Session
	server  *httptest.Server
}

func newTestHub(t *testing.T) *testHub {
	h := &testHub{clients: rpc.NewClients(), reports: make(chan *agentpb.ReportRequest, 1000), refuse: make(chan error, 10),
		in: make(chan *agentpb.Introduction, 100), keys: make(chan string, 100), session: make(chan *yamux.Session, 100)}
	h.streams = rpc.NewStreamServer(h.clients, rpc.WithAuthorize(h.authorize))
	closing, cancel := context.WithCancel(context.Background())
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.keys <- r.Header.Get("Authorization")
		ws, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		_, session, err := wsmux.ServeGRPC(ws, func(server *grpc.Server) {
			rpcpb.RegisterCoordinatorServer(server, h.streams)
			agentpb.RegisterPresenceServer(server, h)
		})
		if err != nil {
			return
		}
		h.session <- session
		defer context.AfterFunc(closing, func() { _ = session.Close() })()
		<-session.CloseChan()
	}))
	t.Cleanup(func() {
		h.streams.Stop()
		cancel()
		h.server.Close()
	})
	return h
}

func (h *testHub) authorize(ctx context.Context, _ string) error {
	in := &agentpb.Introduction{}
	md, _ := metadata.FromIncomingContext(ctx)
	if err := proto.Unmarshal([]byte(strings.Join(md.Get(IntroductionKey), "")), in); err != nil {
		return err
	}
	h.in <- in
	select {
	case err := <-h.refuse:
		return err
	default:
		return nil
	}
}

func (h *testHub) Report(stream grpc.ClientStreamingServer[agentpb.ReportRequest, agentpb.ReportResponse]) error {
	for {
		report, err := stream.Recv()
		if err != nil {
			return err
		}
		h.reports <- report
	}
}

func TestAnAgentIntroducesItselfAndReportsWhatIsApplied(t *testing.T) {
	service, h := autoconfigtest.NewServer(t), newTestHub(t)
	service.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	manager := newManager(t, service.URL)
	a, err := New(manager, h.server.URL, WithName("relay-7"), WithVersion("v1"), WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	defer a.Close()
	a.Start()
	assert.Equal(t, string(testKey), <-h.keys)
	in := <-h.in
	assert.Equal(t, manager.Instance(), in.Instance)
	assert.Equal(t, "v1", in.Version)
	assert.Empty(t, (<-h.reports).AppliedDigest, "the stream has not begun")
	manager.Start()
	report := <-h.reports
	for report.AppliedDigest == "" {
		report = <-h.reports
	}
	assert.Equal(t, manager.Status().Digest, report.AppliedDigest)
	assert.Equal(t, []string{"relay-7"}, h.clients.List())

	answer, err := rpc.Call[agentpb.VersionInfo](t.Context(), h.clients, "relay-7", &agentpb.GetVersionInfoRequest{})
	require.NoError(t, err)
	assert.Equal(t, "relay-7", answer.Name)
}

func TestARefusedNameIsTriedAgain(t *testing.T) {
	h := newTestHub(t)
	for _, code := range []codes.Code{codes.AlreadyExists, codes.PermissionDenied, codes.InvalidArgument} {
		h.refuse <- status.Error(code, "not now")
	}
	a, err := New(newManager(t, "http://127.0.0.1:1"), h.server.URL, WithName("relay-7"), WithBackoff(time.Millisecond, 2*time.Millisecond))
	require.NoError(t, err)
	defer a.Close()
	a.Start()
	require.Eventually(t, a.Connected, soon, time.Millisecond)
}

func TestAClosedAgentIsNotConnected(t *testing.T) {
	h := newTestHub(t)
	a, err := New(newManager(t, "http://127.0.0.1:1"), h.server.URL, WithName("relay-7"))
	require.NoError(t, err)
	a.Start()
	assert.Eventually(t, a.Connected, soon, time.Millisecond)
	a.Close()
	assert.False(t, a.Connected())
}

func TestALinkIsMadeWithTheKeyOfTheMoment(t *testing.T) {
	h := newTestHub(t)
	manager := newManager(t, "http://127.0.0.1:1")
	h.refuse <- status.Error(codes.AlreadyExists, "not now")
	a, err := New(manager, h.server.URL, WithName("relay-7"), WithBackoff(time.Millisecond, 2*time.Millisecond))
	require.NoError(t, err)
	defer a.Close()
	manager.SetKey("rel-new")
	a.Start()
	assert.Equal(t, "rel-new", <-h.keys)
	require.Eventually(t, a.Connected, soon, time.Millisecond)
}

func TestSetLogLevel(t *testing.T) {
	set := ""
	a, err := New(newManager(t, "http://127.0.0.1:1"), "ws://hub/link", WithLogLevel(func(level string) error { set = level; return nil }))
	require.NoError(t, err)
	_, err = a.setLevel(t.Context(), &agentpb.SetLogLevelRequest{Level: "debug"})
	require.NoError(t, err)
	assert.Equal(t, "debug", set)
	_, err = a.setLevel(t.Context(), &agentpb.SetLogLevelRequest{Level: "loud"})
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	a.Close()
}

func TestARefusalThatLastsIsAWarningOnce(t *testing.T) {
	h := newTestHub(t)
	for _, code := range []codes.Code{codes.AlreadyExists, codes.AlreadyExists, codes.Unavailable, codes.AlreadyExists, codes.PermissionDenied} {
		h.refuse <- status.Error(code, "a reason")
	}
	logged := make(chan slog.Record, 100)
	a, err := New(newManager(t, h.server.URL), h.server.URL, WithName("relay-7"), WithBackoff(time.Millisecond, 2*time.Millisecond),
		WithLogger(slog.New(records(logged))))
	require.NoError(t, err)
	a.Start()
	defer a.Close()
	for i, want := range []struct {
		level slog.Level
		code  string
	}{
		{slog.LevelWarn, "AlreadyExists"},
		{slog.LevelInfo, "AlreadyExists"},
		{slog.LevelInfo, "Unavailable"},
		{slog.LevelInfo, "AlreadyExists"},
		{slog.LevelWarn, "PermissionDenied"},
		{slog.LevelInfo, ""},
	} {
		record := <-logged
		code := ""
		record.Attrs(func(attr slog.Attr) bool {
			if attr.Key == "code" {
				code = attr.Value.String()
			}
			return true
		})
		assert.Equal(t, want.code, code, "%d: %s", i, record.Message)
		assert.Equal(t, want.level, record.Level, "%d: %s", i, record.Message)
	}
}

// records is a slog.Handler that passes records on.
type records chan slog.Record

func (records) Enabled(context.Context, slog.Level) bool { return true }

func (r records) Handle(_ context.Context, record slog.Record) error {
	r <- record
	return nil
}

func (r records) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r records) WithGroup(string) slog.Handler      { return r }
