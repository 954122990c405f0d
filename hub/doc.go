// Package hub serves the configuration that one auto-configuration stream brings to any number of relays, by the same
// protocol. To move a relay behind a hub, change its stream URI.
//
// Make a hub with New, give it the keys of its relays with SetKeys, feed it from a manager (Handler and Follow) or from
// anything that has texts with versions (Changes and SetSource), and serve it as an http.Handler.
//
// The data go one way: Changes, the state of all items, views (the items that a key may see), frames (the bytes of
// events, encoded once for all relays), relays (one connection each).
package hub
