// Package agent keeps a relay in touch with its hub: next to the stream of its [autoconfig.StreamManager], it holds a link
// that the hub can call the relay over, also through NAT and proxies. Over it the agent tells which configuration the relay
// has applied and how it is doing, and offers the functions of agentpb: GetVersionInfo, GetStatus, ListEnvironments (keys
// masked), GetAppliedVersions, Reconnect and SetLogLevel.
//
// The link changes nothing of the relay's configuration, whether it is up or not.
//
//	manager := autoconfig.NewStreamManager(key, "http://hub:8030", relay, httpConfig, time.Second, loggers)
//	link, err := agent.New(manager, "ws://hub:8030/link", agent.WithName("relay-7"))
//	if err != nil {
//		return err
//	}
//	link.Start()
//	defer link.Close()
//	manager.Start()
//
// The hub is relayconf serve, or anything that serves the services Coordinator of package rpcpb and Presence of package
// agentpb as package wsmux has it.
package agent
