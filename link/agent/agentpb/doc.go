// Package agentpb holds the messages and the service of package agent, generated from agent.proto by link/scripts/generate.
package agentpb
