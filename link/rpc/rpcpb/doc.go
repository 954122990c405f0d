// Package rpcpb holds the messages and the service of package rpc, generated from rpc.proto by link/scripts/generate.
package rpcpb
