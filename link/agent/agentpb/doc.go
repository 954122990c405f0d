// Package agentpb holds the messages and the service of package agent, generated from the .proto files here by link/scripts/generate.
package agentpb
