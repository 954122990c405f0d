// Package hubmodel plays random histories to hubs: of the source, of relays that come, go, stall and come back with any
// state that they ever had, of hubs that restart, and of a hub behind a hub. Each relay that is connected must end with
// exactly the view of its key.
//
// In one model the source and the relays are written once more, so that everything is drawn. The other one is of a
// real fleet: a service, hubs behind managers with stores, a tree of them, and relays with each of the two clients.
//
// A history is played in the time of testing/synctest, over connections in memory, so that it is known when all is quiet.
// For more of them: go test -timeout=0 -rapid.checks=100000.
package hubmodel
