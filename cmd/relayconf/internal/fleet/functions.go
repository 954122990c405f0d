package fleet

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// Functions returns the names, for people, of the functions of relays.
func Functions() []string {
	return slices.Sorted(maps.Keys(functions))
}

// function calls a relay and returns its answer, to be shown as JSON.
type function func(ctx context.Context, d Directory, relay, argument string) (any, error)

// takesArgument has the functions that need an argument.
var takesArgument = map[string]bool{"set-log-level": true}

var functions = map[string]function{
	"get-version-info":  getVersionInfo,
	"get-status":        getStatus,
	"list-environments": listEnvironments,
	"reconnect":         reconnect,
	"set-log-level":     setLogLevel,
}

// CallFunction calls a function of a relay by its name. Errors have a gRPC status.
func CallFunction(ctx context.Context, d Directory, relay, name, argument string) (any, error) {
	f := functions[name]
	switch {
	case f == nil:
		return nil, status.Errorf(codes.InvalidArgument, "there is no function %.40q: give one of %s", name, strings.Join(Functions(), ", "))
	case takesArgument[name] && argument == "":
		return nil, status.Errorf(codes.InvalidArgument, "%s needs an argument", name)
	case !takesArgument[name] && argument != "":
		return nil, status.Errorf(codes.InvalidArgument, "%s takes no argument", name)
	}
	if err := callable(d, relay); err != nil {
		return nil, err
	}
	return f(ctx, d, relay, argument)
}

// callable returns why a relay can't be called; nil if it seems possible.
func callable(d Directory, name string) error {
	for _, r := range d.Overview().Relays {
		switch {
		case r.Name != name:
		case !r.Agent:
			return status.Errorf(codes.FailedPrecondition, "the relay %q has no agent that could be called", name)
		case !r.Connected:
			return status.Errorf(codes.FailedPrecondition, "the relay %q is not connected; last seen %s ago", name, time.Since(r.Since).Round(time.Second))
		default:
			return nil
		}
	}
	return noRelay(name)
}

type versionInfoJSON struct {
	Name            string     `json:"name"`
	Version         string     `json:"version"`
	GoVersion       string     `json:"goVersion"`
	Platform        string     `json:"platform"`
	ProtocolVersion int32      `json:"protocolVersion"`
	Started         *time.Time `json:"started,omitempty"`
}

func getVersionInfo(ctx context.Context, d Directory, relay, _ string) (any, error) {
	var a agentpb.VersionInfo
	if err := d.Call(ctx, relay, &agentpb.GetVersionInfoRequest{}, &a); err != nil {
		return nil, err
	}
	return versionInfoJSON{a.Name, a.Version, a.GoVersion, a.Platform, a.ProtocolVersion, timeOf(a.Started)}, nil
}

type currentStatusJSON struct {
	StatusJSON
	AppliedDigest string `json:"appliedDigest"`
	Digest        string `json:"digest"` // of the configuration that it knows; it may not have applied that yet
}

func getStatus(ctx context.Context, d Directory, relay, _ string) (any, error) {
	var a agentpb.GetStatusResponse
	if err := d.Call(ctx, relay, &agentpb.GetStatusRequest{}, &a); err != nil {
		return nil, err
	}
	if a.Status == nil {
		a.Status = &agentpb.Status{}
	}
	return currentStatusJSON{*statusJSON(a.Status), a.AppliedDigest, a.Status.Digest}, nil
}

type environmentJSON struct {
	ID                 string     `json:"id"`
	ProjKey            string     `json:"projKey"`
	ProjName           string     `json:"projName"`
	EnvKey             string     `json:"envKey"`
	EnvName            string     `json:"envName"`
	SDKKey             string     `json:"sdkKey"` // masked, as all keys here
	MobileKey          string     `json:"mobileKey,omitempty"`
	ExpiringSDKKey     string     `json:"expiringSdkKey,omitempty"`
	ExpiringSDKKeyTime *time.Time `json:"expiringSdkKeyTime,omitempty"`
	AppliedVersion     *int64     `json:"appliedVersion"`
}

func listEnvironments(ctx context.Context, d Directory, relay, _ string) (any, error) {
	var a agentpb.ListEnvironmentsResponse
	if err := d.Call(ctx, relay, &agentpb.ListEnvironmentsRequest{}, &a); err != nil {
		return nil, err
	}
	list := make([]environmentJSON, 0, len(a.Environments))
	for _, e := range a.Environments {
		list = append(list, environmentJSON{e.Id, e.ProjectKey, e.ProjectName, e.EnvironmentKey, e.EnvironmentName,
			e.SdkKey, e.MobileKey, e.ExpiringSdkKey, timeOf(e.ExpiringSdkKeyTime), e.AppliedVersion})
	}
	return list, nil
}

type doneJSON struct {
	Done bool `json:"done"`
}

func reconnect(ctx context.Context, d Directory, relay, _ string) (any, error) {
	return doneJSON{true}, d.Call(ctx, relay, &agentpb.ReconnectRequest{}, &agentpb.ReconnectResponse{})
}

func setLogLevel(ctx context.Context, d Directory, relay, level string) (any, error) {
	return doneJSON{true}, d.Call(ctx, relay, &agentpb.SetLogLevelRequest{Level: level}, &agentpb.SetLogLevelResponse{})
}

// maxBehindBy is how many environments are named that a relay lacks.
const maxBehindBy = 100

// behindBy asks a relay which environments it lacks. Nil if it is in sync, or can't say.
func behindBy(ctx context.Context, d Directory, r Relay) []BehindJSON {
	if !r.Connected || !r.Agent || r.InSync() || r.Grant == nil {
		return nil
	}
	var has agentpb.GetAppliedVersionsResponse
	if d.Call(ctx, r.Name, &agentpb.GetAppliedVersionsRequest{}, &has) != nil {
		return nil
	}
	var behind []BehindJSON
	wanted := r.Grant.Versions(r.Protocol).Environments
	for id, version := range wanted {
		applied, known := has.Versions[id]
		if known && applied == int64(version) {
			continue
		}
		b := BehindJSON{Environment: id, Expected: new(int64(version))}
		if known {
			b.Applied = new(applied)
		}
		behind = append(behind, b)
	}
	for id, version := range has.Versions {
		if _, known := wanted[id]; !known {
			behind = append(behind, BehindJSON{Environment: shortened(id, maxText), Applied: new(version)})
		}
	}
	slices.SortFunc(behind, func(a, b BehindJSON) int { return strings.Compare(a.Environment, b.Environment) })
	return behind[:min(len(behind), maxBehindBy)]
}
