// Package inlinekeepalivepb has the messages and the service of inlinekeepalive, generated from inlinekeepalive.proto.
package inlinekeepalivepb
