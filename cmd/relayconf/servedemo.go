package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"golang.org/x/term"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

const (
	serveDemoGreeting = `relayconf serve --demo: a hub that reads files, and three relays behind it, on this machine alone.

  The page:   %[1]s/
  The fleet:  relayconf fleet list --admin-addr %[2]s

The relays eu-1 and us-1 may see everything, the relay shop-1 only its project.`
	serveDemoGoodbye = `
That was the demo. To serve your own: AUTO_CONFIG_KEY=rel-... relayconf serve, and set STREAM_URI of your relays to it.
From files, with keys for each relay, TLS and a cache: relayconf serve --help`
	serveDemoAgain = `
That was all of it. It goes on like this until Ctrl-C, so that you can look at the page: %s/`

	firstDemoPause = 2500 * time.Millisecond // between two changes
	laterDemoPause = 6 * time.Second         // once all of them were seen
	demoPatience   = 30 * time.Second        // far more than anything takes that the demo waits for
)

// hubDemo is a hub and its relays, in one process.
type hubDemo struct {
	*server
	stop     context.Context // ends with Ctrl-C
	out      *stdout
	files    demoFiles
	running  map[string]*demoRelay // by name
	operator fleetOptions          // for the fleet commands that the demo runs
}

// serveDemo shows a hub with three relays.
func serveDemo(o serveOptions, signals signals) (err error) {
	folder, err := os.MkdirTemp("", "relayconf-demo-")
	if err != nil {
		return fmt.Errorf("the demo needs a temporary folder: %w", err)
	}
	defer os.RemoveAll(folder)
	o.environments, o.keys = filepath.Join(folder, "environments.yaml"), filepath.Join(folder, "keys.yaml")
	o.addr, o.adminAddr, o.healthAddr, o.hubName = "127.0.0.1:0", "127.0.0.1:0", "", "demo"
	o.drainDelay, o.drainTime, o.unknownKeyGrace = 0, time.Second, 0
	logger := logging.New(stderr, o.logFormat, ldlog.Error) // the lines of the demo say the rest
	settings := settings{loggers: logging.Loggers(logger, ldlog.None)}
	if settings.http, err = httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, userAgent(), settings.loggers); err != nil {
		return err
	}
	s, err := newServer(settings, o, logger)
	if err != nil {
		return err
	}
	d := &hubDemo{server: s, stop: signals.stop, out: newStdout(watchOptions{format: "text"}, settings.loggers),
		files: firstDemoFiles, running: map[string]*demoRelay{}}
	if err = d.files.write(o); err == nil {
		err = s.start(signals.stop)
	}
	if err == nil {
		err = d.play()
		d.stopRelays()
		s.drain()
	}
	s.close()
	return d.out.end(signals.stop, err)
}

// play tells the story once, and on a terminal again and again until Ctrl-C, since the page is there only as long.
func (d *hubDemo) play() error {
	url := d.others[0].URL()
	d.operator.adminAddr = strings.TrimPrefix(url, "http://")
	d.say(serveDemoGreeting, url, d.operator.adminAddr)
	d.remark("The relays connect. Each has a link to the hub, too, and says over it what it has applied.")
	for _, name := range demoRelayNames {
		if err := d.startRelay(name); err != nil {
			return err
		}
	}
	d.wait(demoPatience)
	d.list()
	if err := d.tell(demoStory, firstDemoPause); err != nil || d.stop.Err() != nil {
		return err
	}
	if !watchedByAPerson() {
		d.say(serveDemoGoodbye)
		return nil
	}
	d.say(serveDemoAgain, url)
	for d.stop.Err() == nil {
		if err := d.tell(slices.Concat(demoReset, demoStory), laterDemoPause); err != nil {
			return err
		}
	}
	return nil
}

// watchedByAPerson tells whether somebody sees the output, and can press Ctrl-C.
func watchedByAPerson() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
}

// tell makes the changes of the steps, with a pause before each and after the last, until Ctrl-C.
func (d *hubDemo) tell(steps []demoStep, pause time.Duration) error {
	for _, step := range steps {
		if d.pause(pause); d.stop.Err() != nil {
			return nil
		}
		d.remark(step.remark)
		if err := step.change(d); err != nil {
			return err
		}
	}
	d.pause(pause)
	return nil
}

func (d *hubDemo) pause(length time.Duration) {
	select {
	case <-time.After(length):
	case <-d.stop.Done():
	}
}

func (d *hubDemo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

func (d *hubDemo) remark(text string) { d.say("\n%s", color.New(color.Bold).Sprint("# "+text)) }
