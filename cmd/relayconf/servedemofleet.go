package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/link/agent"
)

// demoRelay is a relay that prints its changes.
type demoRelay struct {
	manager *autoconfig.StreamManager
	agent   *agent.Agent
}

var (
	demoRelayNames = []string{"eu-1", "us-1", "shop-1"}
	demoRelayKeys  = map[string]config.AutoConfigKey{"eu-1": "rel-demo-all", "us-1": "rel-demo-all", "shop-1": "rel-demo-shop"}
)

// startRelay starts a relay with a link, which prints its name before each change.
func (d *hubDemo) startRelay(name string) error {
	print := func(c change.Change) {
		if line := d.out.format(c); line != nil {
			_, _ = d.out.Write(fmt.Appendf(nil, "%-8s%s", name, line))
		}
	}
	tracker := change.NewTracker(print, time.Now)
	r, uri := &demoRelay{}, d.relays.URL()
	r.manager = autoconfig.NewStreamManager(demoRelayKeys[name], uri, tracker, d.settings.http, initialRetryDelay,
		d.settings.loggers, autoconfig.WithProtocolVersion(hubProtocolVersion), autoconfig.WithStatusListener(tracker.Status))
	var err error
	r.agent, err = agent.New(r.manager, uri+linkPath, agent.WithName(name), agent.WithVersion(userAgent()),
		agent.WithHTTPConfig(d.settings.http))
	if err != nil {
		return err
	}
	r.agent.Start()
	r.manager.Start()
	d.running[name] = r
	return nil
}

func (d *hubDemo) stopRelay(name string) {
	r := d.running[name]
	delete(d.running, name)
	r.agent.Close()
	r.manager.Close()
	<-r.manager.Done()
}

// waitForTheEndOf says why a relay has ended, as one does whose key is rejected when it connects again.
func (d *hubDemo) waitForTheEndOf(name string) {
	manager := d.running[name].manager
	select {
	case <-manager.Done():
		d.say("%-8sended: %s", name, manager.Err())
	case <-time.After(demoPatience):
	case <-d.stop.Done():
	}
}

func (d *hubDemo) stopRelays() {
	for name := range d.running {
		d.stopRelay(name)
	}
}

// list runs fleet list.
func (d *hubDemo) list() {
	d.runFleet("list", func(ctx context.Context) error { return runFleetList(ctx, d.operator, d.out, terminalWidth(os.Stdout)) })
}

// wait runs fleet wait.
func (d *hubDemo) wait(timeout time.Duration) {
	w := fleetWaitOptions{condition: fleet.Condition{Min: len(demoRelayNames)}, timeout: timeout}
	command := fmt.Sprintf("wait --min %d --timeout %s", w.condition.Min, change.Duration(timeout))
	d.runFleet(command, func(ctx context.Context) error {
		return w.run(ctx, d.operator, d.out, &waitBar{})
	})
}

// runFleet runs a fleet command as a person would. How it ends is shown, and does not end the demo.
func (d *hubDemo) runFleet(command string, run func(context.Context) error) {
	d.say("$ relayconf fleet %s --admin-addr %s", command, d.operator.adminAddr)
	if err := run(d.stop); err != nil && d.stop.Err() == nil {
		d.say("relayconf: %s", err)
	}
}
