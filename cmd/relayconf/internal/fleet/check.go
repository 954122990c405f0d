package fleet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

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
	dropUnknown(report.ProtoReflect())
	if s := report.Status; s != nil {
		s.State, s.Source = shortened(s.State, 20), shortened(s.Source, 20)
		if e := s.LastError; e != nil {
			e.Kind, e.Message = shortened(e.Kind, 40), shortened(e.Message, maxText)
		}
	}
	return nil
}

// dropUnknown drops the fields that this version does not know from a message and those in it: nothing bounds their size.
func dropUnknown(m protoreflect.Message) {
	m.SetUnknown(nil)
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() != nil && !field.IsList() && !field.IsMap() {
			dropUnknown(value.Message())
		}
		return true
	})
}

// shortened makes a text of a relay fit to be kept and shown. It keeps no memory of a longer one.
func shortened(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text[:min(len(text), most)])
	return strings.Clone(strings.TrimSuffix(strings.ToValidUTF8(text, ""), string(utf8.RuneError)))
}

func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
