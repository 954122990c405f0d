// Package notify tells systemd how the process is doing: that it is ready, that it is about to stop, and, for a watchdog,
// that it is alive. Without systemd it does nothing.
package notify

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready tells that the start is done.
func Ready() { send(daemon.SdNotifyReady) }

// Stopping tells that the end has begun.
func Stopping() { send(daemon.SdNotifyStopping) }

// Status tells in a line for people how the process is doing.
func Status(text string) { send("STATUS=" + text) }

// send ignores failures: a service manager that does not listen must not get in the way.
func send(state string) { _, _ = daemon.SdNotify(false, state) }

// Watchdog tells systemd until ctx ends that the process is alive, twice as often as it asks for, as long as alive returns
// nil. It returns at once if systemd asks for no watchdog.
func Watchdog(ctx context.Context, alive func() error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		if alive() == nil {
			send(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
