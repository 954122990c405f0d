//go:build unix

package notify

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = 60 * time.Second

// manager is the service manager's side: it returns the next message.
func manager(t *testing.T) func() string {
	t.Helper()
	folder, err := os.MkdirTemp("", "notify") // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	address := &net.UnixAddr{Name: folder + "/s", Net: "unixgram"}
	socket, err := net.ListenUnixgram("unixgram", address)
	require.NoError(t, err)
	t.Setenv("NOTIFY_SOCKET", address.Name)
	// Read without a pause: the system keeps few messages, and then the sender waits.
	messages := make(chan string, 100_000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		message := make([]byte, 1000)
		for {
			n, err := socket.Read(message)
			if err != nil {
				return
			}
			messages <- string(message[:n])
		}
	}()
	t.Cleanup(func() { _ = socket.Close(); <-ended })
	return func() string {
		select {
		case message := <-messages:
			return message
		case <-time.After(soon):
			require.FailNow(t, "no message comes")
			return ""
		}
	}
}

func TestReadinessAndTheEndAreTold(t *testing.T) {
	next := manager(t)
	Ready()
	Status("fine")
	Stopping()
	assert.Equal(t, "READY=1", next())
	assert.Equal(t, "STATUS=fine", next())
	assert.Equal(t, "STOPPING=1", next())
}

func TestTheWatchdogIsToldWhileTheProcessIsAlive(t *testing.T) {
	next := manager(t)
	t.Setenv("WATCHDOG_USEC", "2000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	var dead atomic.Bool
	asked := make(chan struct{}, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Watchdog(ctx, func() error {
			select {
			case asked <- struct{}{}:
			default:
			}
			if dead.Load() {
				return errors.New("hung")
			}
			return nil
		})
	}()
	for range 3 {
		assert.Equal(t, "WATCHDOG=1", next())
	}
	dead.Store(true)
	for len(asked) > 0 {
		<-asked
	}
	<-asked // this call, or the one before, was the last that may have said that all is well
	<-asked
	Status("last")
	for message := next(); message != "STATUS=last"; message = next() {
		require.Equal(t, "WATCHDOG=1", message)
	}
	<-asked
	<-asked
	Status("still last")
	assert.Equal(t, "STATUS=still last", next(), "nothing was sent for a process that hangs")
	cancel()
	<-ended
}

func TestWithoutSystemdNothingHappens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	Ready()
	Watchdog(t.Context(), func() error { panic("no watchdog was asked for") })
}
