package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

//go:embed demo.sse
var demoRecording string

const (
	// demoKey is what the demo's own service accepts. It opens nothing else.
	demoKey = "rel-demo"
	// A comment in the recording that starts like this is a remark for the person who watches.
	remarkPrefix = "#"
	// lastRemark is the comment that ends the demo.
	lastRemark = "# end"

	// demoInitTimeout is far more than a connection to this machine takes.
	demoInitTimeout = 20 * time.Second

	demoGreeting = "relayconf watch --demo: a recorded stream, replayed on this machine. Its keys are made up."
	demoGoodbye  = `That was the demo. To follow your own stream: AUTO_CONFIG_KEY=rel-... relayconf watch
For a file of all environments and a hook for each change, see: relayconf watch --help`
)

// demo is a replay of the embedded recording over loopback HTTP.
type demo struct {
	settings settings
	over     chan struct{} // closed by the last remark
	server   *http.Server
	served   chan struct{}
	words    io.Writer
	finished bool
}

func startDemo() (*demo, error) {
	// Of the variables, only the log level counts: a key or a proxy must not get in the way of a demo.
	environment, err := config.FromEnv(func(name string) (string, bool) {
		if name != "LOG_LEVEL" {
			return "", false
		}
		return os.LookupEnv(name)
	})
	if err != nil {
		return nil, usageError("the environment variables can't be used: %s", indented(err))
	}
	if os.Getenv("LOG_LEVEL") == "" {
		environment.LogLevel = ldlog.Error // the lines of the demo say what happens
	}
	recording, err := autoconfigtest.ParseRecording(strings.NewReader(demoRecording))
	if err != nil {
		return nil, err
	}
	d := &demo{over: make(chan struct{}), served: make(chan struct{}), words: color.Output}
	d.settings = settings{Config: environment, key: demoKey, loggers: newLoggers(os.Stderr, environment.LogLevel)}
	if d.settings.http, err = httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, userAgent(), d.settings.loggers); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the demo needs a port of this machine's loopback interface: %w", err)
	}
	d.settings.AutoConfig.StreamURI = "http://" + listener.Addr().String()
	d.server = &http.Server{
		Handler:           recording.Handler(autoconfigtest.ReplayOptions{Key: demoKey, ShiftTimes: true}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() {
		defer close(d.served)
		_ = d.server.Serve(listener) // it ends when close closes it
	}()
	return d, nil
}

func (d *demo) close() {
	_ = d.server.Close()
	<-d.served
}

// narrated prints the recording's remarks between the lines, and shows keepalives. With JSON on standard output,
// words go to standard error.
func (d *demo) narrated(line func(change.Change) error, format string) func(change.Change) error {
	if format == "json" {
		d.words = os.Stderr
	}
	d.say(demoGreeting)
	return func(c change.Change) error {
		remark := strings.TrimSpace(c.Comment)
		if c.Kind != change.KeepAlive || !strings.HasPrefix(remark, remarkPrefix) {
			return line(c)
		}
		if remark == lastRemark {
			if !d.finished {
				d.finished = true
				close(d.over)
			}
			return nil
		}
		d.say("\n" + remark)
		return nil
	}
}

// sayGoodbye is for a demo that was seen to its end.
func (d *demo) sayGoodbye(stop context.Context) {
	select {
	case <-d.over:
		if stop.Err() == nil {
			d.say("\n" + demoGoodbye)
		}
	default:
	}
}

func (d *demo) say(words string) { fmt.Fprintln(d.words, words) }
