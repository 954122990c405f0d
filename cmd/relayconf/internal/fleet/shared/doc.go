// Package shared makes one fleet of those of several hubs, which tell each other of their relays through Redis.
//
// Each hub writes a heartbeat every few seconds, and its roster: its relays, in parts, of which it writes those that have
// changed. A heartbeat lists the parts that belong to it, and the latest heartbeat that the hub has had from each other
// hub. So a hub knows without comparing clocks how old the news of another one is: another hub's heartbeat was written
// after the heartbeat of this hub that it lists. What no hub could have written (see envelope) is ignored.
//
// All work with Redis is done in goroutines of this package. Nothing of the configuration waits for it.
package shared
