package fleet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/relayconf/relayconf/internal/digest"
	"github.com/relayconf/relayconf/link/agent/agentpb"
)

// maxText bounds each text of a report, in bytes.
const maxText = 500

// checkReport refuses a report that makes no sense, and shortens its texts. The status in a report is shown, and has no
// other use.
func checkReport(report *agentpb.ReportRequest) error {
	for _, d := range []string{report.AppliedDigest, report.Status.GetDigest()} {
		if _, ok := digest.Parse(d); d != "" && !ok {
			return status.Error(codes.InvalidArgument, "a digest must be 32 hexadecimal digits, or empty")
		}
	}
	report.ProtoReflect().SetUnknown(nil)
	if s := report.Status; s != nil {
		s.ProtoReflect().SetUnknown(nil)
		s.State, s.Source = shortened(s.State, 20), shortened(s.Source, 20)
		if e := s.LastError; e != nil {
			e.ProtoReflect().SetUnknown(nil)
			e.Kind, e.Message = shortened(e.Kind, 40), shortened(e.Message, maxText)
		}
	}
	return nil
}

// shortened makes a text of a relay fit to be kept and shown.
func shortened(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text[:min(len(text), most)])
	return strings.TrimSuffix(strings.ToValidUTF8(text, ""), string(utf8.RuneError))
}

func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
