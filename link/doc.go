// Package link is the root of four packages that make a control connection between a hub and its relays. A relay behind
// NAT, proxies and load balancers can't be called; so it calls the hub, once, and from then on the hub can call it.
//
// Each package is of use on its own: wsmux (gRPC over yamux over a WebSocket), inlinekeepalive (keepalives inside gRPC
// streams), keepalive (ping and pong with a cookie), and rpc (a server calls functions of its clients).
package link
