// Package interop runs gRPC's own interoperability cases over the packages of link. It is a module of its own, so that
// the dependencies of those cases stay out of link's go.mod.
package interop
