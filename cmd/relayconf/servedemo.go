package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/logging"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
)

//go:embed servedemo.yaml
var serveDemoFile string

const (
	demoPause = 3 * time.Second // between two changes

	serveDemoGreeting = `relayconf serve --demo: a hub that reads %s, and two relays behind it.
The relay "all" may see everything, the relay "shop" only its project.
Look at it from another terminal: curl %s/status`
	serveDemoGoodbye = `
That was the demo. To serve your own: AUTO_CONFIG_KEY=rel-... relayconf serve, and set STREAM_URI of your relays to it.
From files, with keys for each relay, TLS and a cache: relayconf serve --help`

	demoKeys = `keys:
  - name: all
    key: rel-demo-all
`
	demoShopKey = `  - name: shop
    key: rel-demo-shop
    projects: [shop]
`
)

// demoStep is a remark, and a change of the files that follows it.
type demoStep struct {
	remark string
	file   string // environments.yaml or keys.yaml
	edit   func(text string) string
}

var demoSteps = []demoStep{
	{"The SDK key of web/production is rotated; the old one counts for 5 s more.", "environments.yaml", func(text string) string {
		return strings.Replace(text, "    sdkKey: sdk-00000000-0000-4000-8000-000000000001\n",
			"    sdkKey: sdk-00000000-0000-4000-8000-00000000000a\n    expiringSdkKey:\n"+
				"      value: sdk-00000000-0000-4000-8000-000000000001\n"+
				"      expiry: "+time.Now().Add(demoPause+2*time.Second).UTC().Format(time.RFC3339)+"\n", 1)
	}},
	{"An environment of the shop is added. Both relays are told.", "environments.yaml", func(text string) string {
		return text + "  - id: 5f1b0c7e0000000000000004\n    projKey: shop\n    envKey: test\n" +
			"    sdkKey: sdk-00000000-0000-4000-8000-000000000004\n"
	}},
	{"Somebody makes a mistake in the file. Nothing changes, and the log names the line.", "environments.yaml", func(text string) string {
		return strings.Replace(text, "ttlSeconds: 300", "ttlSeconds: five minutes", 1)
	}},
	{"It is mended, and web/staging is gone. The relay of the shop is told nothing.", "environments.yaml", func(text string) string {
		text = strings.Replace(text, "ttlSeconds: five minutes", "ttlSeconds: 600", 1)
		start, end := strings.Index(text, "  - id: 5f1b0c7e0000000000000002"), strings.Index(text, "  - id: 5f1b0c7e0000000000000003")
		return text[:start] + text[end:]
	}},
	{"The key of the relay of the shop is revoked.", "keys.yaml", func(string) string { return demoKeys }},
}

// serveDemo shows a hub with two relays until all steps are done, or until Ctrl-C.
func serveDemo(o serveOptions, signals signals) (err error) {
	folder, err := os.MkdirTemp("", "relayconf-demo-")
	if err != nil {
		return fmt.Errorf("the demo needs a temporary folder: %w", err)
	}
	defer os.RemoveAll(folder)
	o.environments, o.keys = filepath.Join(folder, "environments.yaml"), filepath.Join(folder, "keys.yaml")
	o.addr, o.adminAddr, o.healthAddr = "127.0.0.1:0", "127.0.0.1:0", ""
	o.drainDelay, o.drainTime, o.unknownKeyGrace = 0, time.Second, 0
	for path, text := range map[string]string{o.environments: serveDemoFile, o.keys: demoKeys + demoShopKey} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("the demo needs a temporary file: %w", err)
		}
	}
	logger := logging.New(stderr, o.logFormat, ldlog.Error) // the lines of the demo say the rest
	settings := settings{loggers: logging.Loggers(logger, ldlog.None)}
	if settings.http, err = httpconfig.NewHTTPConfig(config.ProxyConfig{}, nil, userAgent(), settings.loggers); err != nil {
		return err
	}
	out := newStdout(watchOptions{format: "text"}, settings.loggers)
	s, err := newServer(settings, o, logger)
	if err != nil {
		return err
	}
	if err = s.start(signals.stop); err == nil {
		fmt.Fprintf(out, serveDemoGreeting+"\n\n", o.environments, s.others[0].URL())
		err = s.playDemo(out, signals)
		s.drain()
	}
	s.close()
	return out.end(signals.stop, err)
}

func (s *server) playDemo(out *stdout, signals signals) error {
	for _, name := range []string{"all", "shop"} {
		relay := s.startDemoRelay(name, out)
		defer func() {
			relay.Close()
			<-relay.Done()
		}()
	}
	pause := time.NewTicker(demoPause)
	defer pause.Stop()
	for _, step := range demoSteps {
		select {
		case <-pause.C:
		case <-signals.stop.Done():
			return nil
		}
		fmt.Fprintln(out, "\n# "+step.remark)
		path := filepath.Join(filepath.Dir(s.options.environments), step.file)
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path+".new", []byte(step.edit(string(text))), 0o600)
		}
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			return fmt.Errorf("the demo can't change its file: %w", err)
		}
	}
	select {
	case <-pause.C:
		fmt.Fprintln(out, serveDemoGoodbye)
	case <-signals.stop.Done():
	}
	return nil
}

// startDemoRelay starts a relay that prints its changes, with its name before each.
func (s *server) startDemoRelay(name string, out *stdout) *autoconfig.StreamManager {
	print := func(c change.Change) {
		if line := out.format(c); line != nil {
			_, _ = out.Write(fmt.Appendf(nil, "%-6s%s", name, line))
		}
	}
	tracker := change.NewTracker(print, time.Now)
	relay := autoconfig.NewStreamManager(config.AutoConfigKey("rel-demo-"+name), s.relays.URL(), tracker, s.settings.http,
		initialRetryDelay, s.settings.loggers, autoconfig.WithProtocolVersion(hubProtocolVersion),
		autoconfig.WithStatusListener(tracker.Status))
	relay.Start()
	return relay
}
