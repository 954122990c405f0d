package keepalive_test

import (
	"fmt"
	"net"

	"github.com/relayconf/relayconf/link/keepalive"
)

// One end asks, the other answers.
func Example() {
	here, there := net.Pipe() // any connection

	server := keepalive.NewServer(there, nil)
	server.Start()

	answered := make(chan uint16)
	cfg := keepalive.NewConfig(
		keepalive.WithCookie(999),
		keepalive.WithKeepAliveResponseFunc(func(c keepalive.CallbackContext, cookie uint16) error {
			if c.RoundTrip > 0 {
				answered <- cookie
			}
			return nil
		}),
	)
	client := keepalive.NewClient(here, &cfg)
	client.Start()
	fmt.Println("the server is alive, cookie", <-answered)

	client.Stop()
	<-client.Done()
	<-server.Done()
	fmt.Println("client:", client.Err(), "server:", server.Err())
	// Output:
	// the server is alive, cookie 999
	// client: <nil> server: <nil>
}

// Both ends ask and answer, over one connection, in the framing of Cardano nodes.
func ExampleSegments() {
	here, there := net.Pipe()
	alive := make(chan string, 2)
	start := func(name string, conn net.Conn, initiator bool) *keepalive.KeepAlive {
		cfg := keepalive.NewConfig(keepalive.WithKeepAliveResponseFunc(func(keepalive.CallbackContext, uint16) error {
			alive <- name
			return nil
		}))
		asClient, asServer := keepalive.Segments(conn, initiator)
		k := keepalive.New(asClient, asServer, &cfg)
		k.Client.Start()
		k.Server.Start()
		return k
	}
	dialled, accepted := start("dialled", here, true), start("accepted", there, false)
	fmt.Println(len(<-alive)+len(<-alive) == len("dialled")+len("accepted"))

	for _, k := range []*keepalive.KeepAlive{dialled, accepted} {
		k.Client.Stop()
		<-k.Client.Done()
	}
	<-dialled.Server.Done()
	<-accepted.Server.Done()
	// Output: true
}

// A message's bytes.
func ExampleNewMsgFromCBOR() {
	message, err := keepalive.NewMsgFromCBOR(keepalive.MessageTypeKeepAlive, []byte{0x82, 0x00, 0x19, 0x03, 0xe7})
	fmt.Println(message.(*keepalive.MsgKeepAlive).Cookie, err)

	_, err = keepalive.NewMsgFromCBOR(keepalive.MessageTypeDone, []byte{0x9f, 0x02, 0xff})
	fmt.Println(err)
	// Output:
	// 999 <nil>
	// keepalive: CBOR of indefinite length: array
}
