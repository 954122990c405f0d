// Package stream keeps a line to an event stream up: it connects, reads, notices silence, waits and connects again, and
// changes the key. It hands the items of the stream to one consumer and knows no rules about them.
//
// The steps, each in a file of its own:
//
//	line.go      connections and the waits between them; the consumer's side
//	request.go   the request
//	response.go  whether the response is a stream
//	body.go      the bytes of the response: decompressed, and when the last one came
//	silence.go   whether the connection is still alive
//	failure.go   why a connection was lost, and which schedule that leads to
//	retry.go     the schedules
package stream
