package agent

import (
	"context"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

const (
	statusPeriod = 5 * time.Second       // between two looks at the status
	reportPeriod = 30 * time.Second      // longest time between two reports
	reportPause  = 50 * time.Millisecond // shortest time between two reports
)

// report sends the hub the applied digest and the status of the relay, until the link ends.
func (a *Agent) report(ctx context.Context, client agentpb.PresenceClient) error {
	stream, err := client.Report(ctx)
	if err != nil {
		return err
	}
	period := time.NewTicker(statusPeriod)
	defer period.Stop()
	var last *agentpb.ReportRequest
	var sent time.Time
	for {
		applied := a.manager.Applied()
		report := &agentpb.ReportRequest{AppliedDigest: applied.Digest, Status: statusMessage(a.manager.Status())}
		if last == nil || differs(last, report) || time.Since(sent) >= reportPeriod {
			if err := stream.Send(report); err != nil {
				return stream.RecvMsg(&agentpb.ReportResponse{}) // has the reason
			}
			last, sent = report, time.Now()
			select {
			case <-time.After(reportPause):
			case <-stream.Context().Done():
			}
		}
		select {
		case <-applied.Changed:
		case <-period.C:
		case <-stream.Context().Done():
			return stream.RecvMsg(&agentpb.ReportResponse{})
		}
	}
}

// differs tells whether there is something to report: more than that the stream lives.
func differs(a, b *agentpb.ReportRequest) bool {
	x, y := a.Status, b.Status
	return a.AppliedDigest != b.AppliedDigest || x.State != y.State || x.Source != y.Source || x.Connections != y.Connections ||
		x.Environments != y.Environments || x.Digest != y.Digest || !x.LastError.GetTime().AsTime().Equal(y.LastError.GetTime().AsTime())
}

func statusMessage(s autoconfig.Status) *agentpb.Status {
	message := &agentpb.Status{
		State:         string(s.State),
		StateSince:    timestamp(s.StateSince),
		LastActivity:  timestamp(s.LastActivity),
		LastKeepAlive: timestamp(s.LastKeepAlive),
		KeepAlives:    s.KeepAlives,
		Connections:   s.Connections,
		Environments:  int32(s.Environments),
		Digest:        s.Digest,
		Resumed:       s.Resumed,
		Compressed:    s.Compressed,
		Source:        string(s.Source),
		SnapshotAge:   durationpb.New(s.SnapshotAge),
		StoreFailures: s.StoreFailures,
	}
	if e := s.LastError; e != nil {
		text := strings.ToValidUTF8(e.Message, string(unicode.ReplacementChar)) // a proxy's answer may be in it; nothing else can be sent
		message.LastError = &agentpb.Error{Kind: string(e.Kind), StatusCode: int32(e.StatusCode), Message: text, Time: timestamp(e.Time)}
	}
	return message
}

// timestamp has no value for the zero time.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
