package inlinekeepalive

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/link/inlinekeepalive/inlinekeepalivepb"
)

// RegisterVersionInfo makes a server answer GetVersionInfo with a name and a version, which are for people, and the list
// of features, which has [Feature]. Register it on servers that have [StreamServerInterceptor].
func RegisterVersionInfo(server grpc.ServiceRegistrar, name, version string) {
	inlinekeepalivepb.RegisterVersionInfoServer(server, &versionInfo{name: name, version: version})
}

type versionInfo struct {
	inlinekeepalivepb.UnimplementedVersionInfoServer
	name, version string
}

// GetVersionInfo implements inlinekeepalivepb.VersionInfoServer.
func (v *versionInfo) GetVersionInfo(context.Context, *inlinekeepalivepb.GetVersionInfoRequest) (*inlinekeepalivepb.GetVersionInfoResponse, error) {
	return &inlinekeepalivepb.GetVersionInfoResponse{Name: v.name, Version: v.version, Features: []string{Feature}}, nil
}

// hasFeature is the default check. A server without GetVersionInfo has no features.
func hasFeature(ctx context.Context, conn grpc.ClientConnInterface) (bool, error) {
	info, err := inlinekeepalivepb.NewVersionInfoClient(conn).GetVersionInfo(ctx, &inlinekeepalivepb.GetVersionInfoRequest{})
	if status.Code(err) == codes.Unimplemented {
		return false, nil
	}
	return slices.Contains(info.GetFeatures(), Feature), err
}
