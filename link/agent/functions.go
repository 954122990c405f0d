package agent

import (
	"context"
	"errors"
	"runtime"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/rpc"
)

// maxHandlers is how many calls of the hub run at once.
const maxHandlers = 16

// functions returns the functions that the hub can call.
func (a *Agent) functions() (*rpc.HandlerRegistry, error) {
	registry := rpc.NewHandlerRegistry()
	registry.SetMaxHandlers(maxHandlers)
	registry.OnPanic(func(request string, value any, stack []byte) {
		a.logger.Error("A call of the hub has failed with a panic", "request", request, "panic", value, "stack", string(stack))
	})
	return registry, errors.Join(
		rpc.RegisterFunction(registry, a.getVersionInfo),
		rpc.RegisterFunction(registry, a.getStatus),
		rpc.RegisterFunction(registry, a.listEnvironments),
		rpc.RegisterFunction(registry, a.getAppliedVersions),
		rpc.RegisterFunction(registry, a.reconnect),
		rpc.RegisterFunction(registry, a.setLevel),
	)
}

func (a *Agent) getVersionInfo(context.Context, *agentpb.GetVersionInfoRequest) (*agentpb.VersionInfo, error) {
	return &agentpb.VersionInfo{
		Name: a.name, Version: a.version, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		ProtocolVersion: int32(a.manager.ProtocolVersion()), Started: timestamppb.New(a.started),
	}, nil
}

func (a *Agent) getStatus(context.Context, *agentpb.GetStatusRequest) (*agentpb.GetStatusResponse, error) {
	applied := a.manager.Applied().Digest // before the status, so that it is never ahead of it
	return &agentpb.GetStatusResponse{Status: statusMessage(a.manager.Status()), AppliedDigest: applied}, nil
}

func (a *Agent) listEnvironments(context.Context, *agentpb.ListEnvironmentsRequest) (*agentpb.ListEnvironmentsResponse, error) {
	versions, _ := a.manager.AppliedVersions()
	answer := &agentpb.ListEnvironmentsResponse{}
	for _, p := range a.manager.Environments() {
		e := environmentMessage(p)
		if version, ok := versions[p.EnvID]; ok {
			e.AppliedVersion = new(int64(version))
		}
		answer.Environments = append(answer.Environments, e)
	}
	return answer, nil
}

// environmentMessage has keys as their String methods print them: masked.
func environmentMessage(p envfactory.EnvironmentParams) *agentpb.Environment {
	e := &agentpb.Environment{
		Id:              string(p.EnvID),
		ProjectKey:      p.Identifiers.ProjKey,
		ProjectName:     p.Identifiers.ProjName,
		EnvironmentKey:  p.Identifiers.EnvKey,
		EnvironmentName: p.Identifiers.EnvName,
		SdkKey:          p.SDKKey.String(),
	}
	if p.MobileKey != "" {
		e.MobileKey = p.MobileKey.String()
	}
	if p.ExpiringSDKKey != "" {
		e.ExpiringSdkKey, e.ExpiringSdkKeyTime = p.ExpiringSDKKey.String(), timestamp(p.ExpiringSDKKeyTime)
	}
	return e
}

func (a *Agent) getAppliedVersions(_ context.Context, request *agentpb.GetAppliedVersionsRequest) (*agentpb.GetAppliedVersionsResponse, error) {
	ids := make([]config.EnvironmentID, 0, len(request.Ids))
	for _, id := range request.Ids {
		ids = append(ids, config.EnvironmentID(id))
	}
	versions, digest := a.manager.AppliedVersions(ids...)
	answer := &agentpb.GetAppliedVersionsResponse{AppliedDigest: digest, Versions: make(map[string]int64, len(versions))}
	for id, version := range versions {
		answer.Versions[string(id)] = int64(version)
	}
	return answer, nil
}

func (a *Agent) reconnect(context.Context, *agentpb.ReconnectRequest) (*agentpb.ReconnectResponse, error) {
	a.logger.Info("The hub asks for a new connection of the stream")
	a.manager.Reconnect()
	return &agentpb.ReconnectResponse{}, nil
}

func (a *Agent) setLevel(_ context.Context, request *agentpb.SetLogLevelRequest) (*agentpb.SetLogLevelResponse, error) {
	if a.setLogLevel == nil {
		return nil, status.Error(codes.Unimplemented, "this relay's log level can't be set")
	}
	switch request.Level {
	case "debug", "info", "warn", "error", "none":
	default:
		return nil, status.Errorf(codes.InvalidArgument, "%.40q is no log level: give debug, info, warn, error or none", request.Level)
	}
	if err := a.setLogLevel(request.Level); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	a.logger.Info("The hub has set the log level", "level", request.Level)
	return &agentpb.SetLogLevelResponse{}, nil
}
