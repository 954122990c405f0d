package main

import (
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

//go:embed demo.sse
var demoRecording string

const (
	// demoKey is the key of the demo's own service. It opens nothing else.
	demoKey = "rel-demo"
	// A comment in the recording that starts like this is a remark for the person who watches.
	remarkPrefix = "#"
	// restartRemark is the comment that ends the first act, and lastRemark ends the demo.
	restartRemark = "# restart"
	lastRemark    = "# end"

	// demoInitTimeout is far more than a connection to this machine takes.
	demoInitTimeout = 20 * time.Second

	demoGreeting = "relayconf watch --demo: a recorded stream, replayed on this machine. Its keys are made up."
	demoRestart  = "# Now watch is started again while the service is down. What it knew comes from its cache."
	demoGoodbye  = `That was the demo. To follow your own stream: AUTO_CONFIG_KEY=rel-... relayconf watch
For a cache, a file of all environments and a hook for each change, see: relayconf watch --help`
)

// demo is a replay of the embedded recording over loopback HTTP.
type demo struct {
	settings      settings
	first, second *act
	folder        string // for the cache
	server        *http.Server
	served        chan struct{}
	stdout        *stdout
	words         io.Writer // where remarks go
}

// act is one run of watch.
type act struct {
	over       chan struct{} // closed by the last remark
	lastRemark string        // the comment that ends it
	lastWords  string        // printed after it
}

// startDemo starts the service. With JSON on standard output, words go to standard error.
func startDemo(o watchOptions) (*demo, error) {
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
		environment.LogLevel = ldlog.Error // the lines of the demo tell the story
	}
	recording, err := autoconfigtest.ParseRecording(strings.NewReader(demoRecording))
	if err != nil {
		return nil, err
	}
	d := &demo{
		first:  &act{over: make(chan struct{}), lastRemark: restartRemark, lastWords: demoRestart},
		second: &act{over: make(chan struct{}), lastRemark: lastRemark, lastWords: demoGoodbye},
		served: make(chan struct{}),
	}
	logger := logging.New(stderr, o.logFormat, environment.LogLevel)
	d.settings = settings{Config: environment, key: demoKey, logger: logger, loggers: logging.Loggers(logger, environment.LogLevel)}
	d.stdout = newStdout(o, d.settings.loggers)
	d.words = d.stdout
	if o.format == "json" {
		d.words = stderr
	}
	if d.settings.http, err = httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, userAgent(), d.settings.loggers); err != nil {
		return nil, err
	}
	if d.folder, err = os.MkdirTemp("", "relayconf-demo-"); err != nil {
		return nil, fmt.Errorf("the demo needs a temporary folder: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = os.RemoveAll(d.folder)
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
	_ = os.RemoveAll(d.folder)
}

func (d *demo) cacheFile() string { return filepath.Join(d.folder, "cache") }

// watchDemo watches twice: until the recording says so, and then with the service down, from the cache of the first time.
func watchDemo(o watchOptions, initTimeoutSet bool, signals signals) error {
	o.verbose = true
	demo, err := startDemo(o)
	if err != nil {
		return err
	}
	defer demo.close()
	o.cache.File = demo.cacheFile()
	if !initTimeoutSet {
		o.initTimeout = demoInitTimeout
	}
	return demo.stdout.end(signals.stop, demo.play(o, signals))
}

func (d *demo) play(o watchOptions, signals signals) error {
	d.say(demoGreeting)
	for _, act := range []*act{d.first, d.second} {
		f, err := newFollower(d.settings, o, d.stdout)
		if err != nil {
			return err
		}
		f.print, f.over = d.narrated(act, f.print), act.over
		if err := f.run(signals); err != nil || signals.stop.Err() != nil || !isClosed(act.over) {
			return err
		}
		d.say("\n" + act.lastWords)
	}
	return nil
}

// narrated prints the recording's remarks between the lines, until the end of the act.
func (d *demo) narrated(act *act, print func(change.Change)) func(change.Change) {
	return func(c change.Change) {
		remark := strings.TrimSpace(c.Comment)
		switch {
		case isClosed(act.over): // the line that the recording drops now is none of the show
		case c.Kind != change.KeepAlive || !strings.HasPrefix(remark, remarkPrefix):
			print(c)
		case remark == act.lastRemark:
			close(act.over)
		default:
			d.say("\n" + remark)
		}
	}
}

func (d *demo) say(words string) { fmt.Fprintln(d.words, words) }
