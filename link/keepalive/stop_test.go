package keepalive

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestStopSendsDoneWithAgency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := newPeer(t)
		client := NewClient(conn, nil)
		client.Start()
		peer.receive()
		peer.send("82 01 00")
		synctest.Wait()
		client.Stop()
		assert.Equal(t, NewMsgDone(), peer.receive())
		peer.wantEnd()
		<-client.Done()
		assert.NoError(t, client.Err())
	})
}

func TestStopWithoutAgencyOnlyCloses(t *testing.T) {
	t.Run("client that awaits an answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			peer, conn := newPeer(t)
			client := NewClient(conn, nil)
			client.Start()
			peer.receive()
			client.Stop()
			peer.wantEnd()
			<-client.Done()
			assert.NoError(t, client.Err())
		})
	})
	t.Run("client in the middle of a KeepAlive", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			peer, conn := newPeer(t)
			client := NewClient(conn, nil)
			client.Start()
			synctest.Wait()
			client.Stop()
			<-client.Done() // before the peer reads
			peer.wantEnd()
			<-client.Done()
			assert.NoError(t, client.Err())
		})
	})
	t.Run("server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			peer, conn := newPeer(t)
			server := NewServer(conn, nil)
			server.Start()
			synctest.Wait()
			server.Stop()
			peer.wantEnd()
			<-server.Done()
			assert.NoError(t, server.Err())
		})
	})
}

func TestStopDoesNotHangOnAServerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := newPeer(t)
		client := NewClient(conn, nil)
		client.Start()
		peer.receive()
		peer.send("82 01 00")
		synctest.Wait()
		began := time.Now()
		client.Stop()
		<-client.Done()
		assert.Equal(t, time.Second, time.Since(began))
		assert.NoError(t, client.Err())
	})
}

func TestStopBeforeStart(t *testing.T) {
	for name, make := range map[string]func(io.ReadWriteCloser) role{
		"client": func(conn io.ReadWriteCloser) role { return NewClient(conn, nil) },
		"server": func(conn io.ReadWriteCloser) role { return NewServer(conn, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			peer, conn := newPeer(t)
			role := make(conn)
			select {
			case <-role.Done():
				t.Error("done before the start")
			default:
			}
			role.Stop()
			role.Start()
			<-role.Done()
			assert.NoError(t, role.Err())
			peer.wantEnd()
		})
	}
}

type role interface {
	Start()
	Stop()
	Done() <-chan struct{}
	Err() error
}

func TestStopWithinACallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		client := NewClient(here, &Config{KeepAliveResponseFunc: func(c CallbackContext, _ uint16) error {
			c.Client.Stop()
			return nil
		}})
		server := NewServer(there, &Config{DoneFunc: func(c CallbackContext) error {
			c.Server.Stop()
			return nil
		}})
		server.Start()
		client.Start()
		<-client.Done()
		<-server.Done()
		assert.NoError(t, client.Err())
		assert.NoError(t, server.Err())
	})
}
