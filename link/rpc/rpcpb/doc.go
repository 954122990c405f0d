// Package rpcpb holds the messages and the service of package rpc, generated from the .proto files here by link/scripts/generate.
package rpcpb
