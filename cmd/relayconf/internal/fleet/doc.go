// Package fleet knows which relays a hub has, and which configuration each of them has applied, and calls their functions.
//
// Relays with an agent keep a link (see Local.ServeHTTP). Those without are known by their streams alone, which tell what
// was sent, not what was applied. A Directory is such a fleet, seen as a whole; Local is that of one hub.
package fleet
