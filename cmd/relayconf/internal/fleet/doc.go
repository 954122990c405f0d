// Package fleet knows which relays a hub has, and which configuration each of them has applied, and calls their functions.
//
// Relays with an agent keep a link (see Local.ServeHTTP). Those without are known by their streams alone, which tell
// the digest sent, not the one applied. A Directory is such a fleet, seen as a whole; Local is that of one hub.
package fleet
