package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/link/rpc"
	"github.com/relayconf/relayconf/link/wsmux"
)

// Agent is a relay's end of a link. Its methods may be called from any goroutine.
type Agent struct {
	settings
	manager   *autoconfig.StreamManager
	url       string
	instance  string
	started   time.Time
	connected atomic.Bool
	client    *rpc.StreamClient
	links     sync.WaitGroup // goroutines of all links so far
	refusal   codes.Code     // the latest that lasts, since the hub has accepted a link; OK: there was none. Of the client's goroutine
}

// New returns an agent that connects to the link at hubURI once it is started. The URI is like ws://hub:8030/link; http
// and https count as ws and wss, and a URI without a path gets /link. The agent authenticates with the manager's key, also
// after a SetKey.
//
// It may be made before or after the manager is started. An error says why the URI or the name is invalid.
func New(manager *autoconfig.StreamManager, hubURI string, options ...Option) (*Agent, error) {
	a := &Agent{settings: defaults(), manager: manager, started: time.Now()}
	for _, option := range options {
		option(&a.settings)
	}
	var err error
	if a.url, err = linkURL(hubURI); err != nil {
		return nil, err
	}
	if a.name == "" {
		if a.name, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("agent: the host has no name that can be found out (%w): give one", err)
		}
	}
	if err := rpc.CheckName(a.name); err != nil {
		return nil, fmt.Errorf("agent: %s", status.Convert(err).Message())
	}
	a.instance = manager.Instance()
	functions, err := a.functions()
	if err != nil {
		return nil, err
	}
	a.client = rpc.NewStreamClient(a.name, functions, dialer{a},
		rpc.WithBackoff(a.firstDelay, a.longestDelay),
		rpc.WithMaxResponseSize(wsmux.MaxMsgSize),
		rpc.WithFinal(func(error) bool { return false }), // a key or a name that is refused today may be allowed tomorrow
		rpc.WithConnectFunc(a.linked),
		rpc.WithDisconnectFunc(a.unlinked))
	return a, nil
}

// Start connects, in the background, and again whenever the link is lost. A second call does nothing.
func (a *Agent) Start() { a.client.Start() }

// Close ends the link and waits until every goroutine of the agent has ended. The manager goes on.
func (a *Agent) Close() {
	a.client.Stop()
	a.connected.Store(false)
	a.links.Wait()
}

// Connected tells whether the hub has accepted the link that is up now.
func (a *Agent) Connected() bool { return a.connected.Load() }

// Name returns the name that the relay has in the fleet.
func (a *Agent) Name() string { return a.name }

func (a *Agent) linked() {
	a.connected.Store(true)
	a.refusal = codes.OK
	a.logger.Info("Linked to the hub", "url", a.url, "name", a.name)
}

func (a *Agent) unlinked(err error, retryIn time.Duration) {
	level, code := slog.LevelWarn, status.Code(err)
	if !a.connected.Swap(false) && (!lasts(code) || code == a.refusal) {
		level = slog.LevelInfo // as long as the hub is away, or refuses the link for the same reason
	}
	if lasts(code) {
		a.refusal = code
	}
	a.logger.Log(a.ctx, level, "No link to the hub; this changes nothing of the configuration",
		"error", status.Convert(err).Message(), "code", code.String(), "retry", retryIn.Round(time.Millisecond))
}

// lasts tells whether a refusal with this code lasts until somebody does something about it: the key, the name or the URI is
// wrong, or another process has the name.
func lasts(code codes.Code) bool {
	switch code {
	case codes.Unauthenticated, codes.PermissionDenied, codes.AlreadyExists, codes.InvalidArgument, codes.Unimplemented, codes.ResourceExhausted:
		return true
	default:
		return false
	}
}

var errURI = errors.New("agent: the hub's URI must look like ws://hub:8030/link or wss://hub/link")

// linkURL checks the URI of a hub. No error quotes it, since it may hold a password.
func linkURL(hubURI string) (string, error) {
	u, err := url.Parse(hubURI)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return "", errURI
	}
	switch u.Scheme {
	case "ws", "wss":
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	default:
		return "", errURI
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/link"
	}
	u.Fragment = ""
	return u.String(), nil
}
