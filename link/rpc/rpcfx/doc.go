// Package rpcfx has modules of go.uber.org/fx for package rpc: [ServerModule] for the program that calls, [ClientModule]
// for the ones that are called.
//
//	needs                                    module           provides
//
//	grpc.ServiceRegistrar                    ServerModule     *rpc.Clients
//	[]rpc.ClientsOption        (optional)                     *rpc.StreamServer
//	[]rpc.StreamServerOption   (optional)
//
//	ClientName                               ClientModule     *rpc.HandlerRegistry
//	rpcpb.CoordinatorClient                                   *rpc.StreamClient
//	functions, see AsFunction (optional)
//	[]rpc.StreamClientOption   (optional)
//
// A client connects when the application starts and is stopped with it; a server ends its connections when the application
// stops.
package rpcfx
