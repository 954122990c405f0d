package stream

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/mask"
)

// reasonTimeout is how long the reason of an error may take to arrive after the header. The next attempt must not wait for it.
const reasonTimeout = 2 * time.Second

// reasonOf returns the reason that the body of an error response gives; empty if it gives none that people can read, such as a
// page of HTML, or only repeats the status. It may close the body.
func reasonOf(response *http.Response, key config.AutoConfigKey) string {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch mediaType {
	case "", "text/plain", "application/json", "application/problem+json":
	default:
		return ""
	}
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" && !isCompressed(response) {
		return ""
	}
	timer := time.AfterFunc(reasonTimeout, func() { _ = response.Body.Close() })
	defer timer.Stop()
	text, _ := io.ReadAll(io.LimitReader(newBody(response), mask.ReasonLimit)) // as much of it as comes
	reason := mask.Reason(string(text), string(key))
	if strings.EqualFold(reason, http.StatusText(response.StatusCode)) {
		return ""
	}
	return reason
}
