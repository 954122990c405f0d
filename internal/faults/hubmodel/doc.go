// Package hubmodel plays random histories to hubs: of the source, of relays that come, go, stall and come back with any
// state that they ever had, of hubs that restart, and of a hub behind a hub. Each relay that is connected must end with
// exactly the view of its key.
//
// A history is played in the time of testing/synctest, over connections in memory, so that it is known when all is quiet.
// For more of them: go test -timeout=0 -rapid.checks=100000.
package hubmodel
