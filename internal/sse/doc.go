// Package sse reads a stream of Server-Sent Events (WHATWG HTML, "Server-sent events") from an io.Reader.
//
// A [Reader] hands out events, comments and retry fields one at a time and tells, from any goroutine, how long the
// stream has been silent. It starts no goroutine of its own.
//
// The bytes pass through these stages, each in a file of its own:
//
//	lines.go     the read buffer, cut into lines
//	field.go     a line, taken apart into a field and its value
//	data.go      the values of the data lines, joined
//	reader.go    fields, put together into items, within the limits
//	liveness.go  when bytes came
package sse
