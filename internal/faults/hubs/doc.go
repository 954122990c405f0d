// Package hubs proves that several hubs that share a Redis server are one fleet: with three processes of the real command
// as hubs and thirty as relays, a real Redis server, and everything that can fail in between made to fail.
package hubs
