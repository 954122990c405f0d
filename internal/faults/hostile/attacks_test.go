// Package hostile follows a service that does what no service should. Whatever that is, the relay's memory stays
// bounded, it says clearly what is wrong, keeps what it knows, and recovers when the service behaves again.
package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
)

const megabyte = 1 << 20

// limits of the relays here, so that an attack is over soon.
const (
	maxEventSize = 16 * megabyte
	readTimeout  = time.Second
)

// attack is one thing that the service does instead of what it should.
type attack struct {
	name  string
	serve func(w http.ResponseWriter, r *http.Request)
	// What the status must say afterwards. An empty kind is an attack that does no harm: the connection stays.
	kind    autoconfig.ErrorKind
	message string
	// slow attacks are not retried for minutes. The test goes on with a new relay then.
	slow bool
	// heap is how many megabytes the attack may take. The default is 8.
	heap uint64
	// maxEventSize is another limit than the usual one, in bytes.
	maxEventSize int
}

var attacks = []attack{
	{name: "an endless line", kind: autoconfig.ErrorKindInvalidData, message: "size", heap: 5 * maxEventSize / megabyte,
		serve: endless(`event: put`+"\n"+`data: {"path":"/","data":{"environments":{"e":{"envName":"`, strings.Repeat("x", 1<<16))},
	{name: "an endless line that is no JSON", kind: autoconfig.ErrorKindInvalidData, message: "malformed",
		serve: endless("event: put\ndata: ", strings.Repeat("x", 1<<16))},
	{name: "an endless event", kind: autoconfig.ErrorKindInvalidData, message: "size", heap: 3 * maxEventSize / megabyte,
		serve: endless("event: put\ndata: {\n", strings.Repeat("data: \"member\": \"xxxxxxxxxxxxxxxxxxxxxxxx\",\n", 2000))},
	// Each of its environments is known by some 200 bytes, however short it is.
	{name: "an endless put", kind: autoconfig.ErrorKindInvalidData, message: "size", heap: 8 * maxEventSize / megabyte,
		serve: endless(`event: put`+"\n"+`data: {"path":"/","data":{"environments":{"e":{}`, strings.Repeat(`,"e":{"envID":"e","version":1}`, 2000))},
	{name: "a put that turns out to be broken at its end", kind: autoconfig.ErrorKindInvalidData, message: "malformed put", heap: 64,
		serve: event("put", `{"path":"/","data":{"environments":{"e":{}`+strings.Repeat(`,"new":{"envID":"new","version":1}`, 20_000)+`}}]`)},
	{name: "a put that is cut off", kind: autoconfig.ErrorKindNetwork, message: "ended the connection", heap: 64,
		serve: func(w http.ResponseWriter, _ *http.Request) {
			stream(w, "event: put\ndata: "+`{"path":"/","data":{"environments":{"e":{}`+strings.Repeat(`,"new":{"envID":"new","version":1}`, 20_000)+`}}}`+"\n")
		}},
	{name: "an endless event name", kind: autoconfig.ErrorKindInvalidData, message: "size",
		serve: endless("event: ", strings.Repeat("x", 1<<16))},
	{name: "endless comments and no put", kind: autoconfig.ErrorKindTimeout, message: "nothing but comments",
		serve: endless("", strings.Repeat(": xxxxxxxxxxxxxxxxxxxxxx\n", 2000))},
	{name: "an endless comment", kind: autoconfig.ErrorKindTimeout, message: "nothing but comments",
		serve: endless(":", strings.Repeat("x", 1<<16))},
	{name: "endless headers", kind: autoconfig.ErrorKindNetwork, message: "header", serve: raw(
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n", func(w io.Writer) error {
			_, err := io.WriteString(w, "X-More: "+strings.Repeat("x", 4000)+"\r\n")
			return err
		})},
	{name: "slow headers", kind: autoconfig.ErrorKindTimeout, message: "no answer", serve: raw(
		"HTTP/1.1 200 OK\r\n", func(w io.Writer) error {
			time.Sleep(readTimeout / 20)
			_, err := io.WriteString(w, "X: y\r\n")
			return err
		})},
	{name: "a compressed bomb", kind: autoconfig.ErrorKindInvalidData, message: "exceeds the size limit", serve: bomb},
	{name: "ten million data lines of one byte", kind: autoconfig.ErrorKindInvalidData, message: "malformed put",
		heap: 64, maxEventSize: 64 * megabyte, serve: func(w http.ResponseWriter, r *http.Request) {
			stream(w, "event: put\n")
			lines := strings.Repeat("data:x\n", 100_000)
			for range 100 {
				stream(w, lines)
			}
			stream(w, "\n")
			<-r.Context().Done()
		}},
	{name: "status 200 with a page", kind: autoconfig.ErrorKindResponse, message: "content type", serve: answer(200, "text/html", "<html>")},
	{name: "status 200 with an endless page", kind: autoconfig.ErrorKindResponse, message: "content type",
		serve: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
					return
				}
			}
		}},
	{name: "status 204", kind: autoconfig.ErrorKindResponse, message: "204", serve: answer(204, "", "")},
	{name: "status 599", kind: autoconfig.ErrorKindResponse, message: "599", serve: answer(599, "", "")},
	{name: "a redirect loop", kind: autoconfig.ErrorKindNetwork, message: "circle",
		serve: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"?again", http.StatusFound)
		}},
	{name: "a redirect to nowhere", kind: autoconfig.ErrorKindNetwork, message: "refused",
		serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/relay_auto_config")
			w.WriteHeader(307)
		}},
	{name: "retry: 0", serve: harmless("retry: 0\n\n")},
	{name: "an absurd retry", serve: harmless("retry: 99999999999999999999999\n\nretry: -1\n\nretry: 1e9\n\nretry:\n\nretry: 5\n\n")},
	{name: "a Retry-After of zero", kind: autoconfig.ErrorKindResponse, message: "503", serve: retryAfter("0")},
	{name: "an absurd Retry-After", kind: autoconfig.ErrorKindResponse, message: "503", slow: true, serve: retryAfter("18446744073709551615")},
	{name: "a Retry-After that makes no sense", kind: autoconfig.ErrorKindResponse, message: "503", serve: retryAfter("-1, soon\x80")},
	{name: "NUL", kind: autoconfig.ErrorKindInvalidData, message: "malformed put", serve: event("put", "\x00{}\x00")},
	{name: "NUL in a name and an id", serve: harmless("id: \x00\nevent: \x00\ndata: x\n\n")},
	{name: "invalid UTF-8", serve: harmless("event: patch\ndata: {\"path\":\"/environments/\xff\xfe\",\"data\":{\"envID\":\"\xff\",\"version\":1}}\n\n" +
		"event: \xff\xfe\ndata: \xff\n\n:\xff\n")},
	{name: "JSON nested 100,000 deep", kind: autoconfig.ErrorKindInvalidData, message: "malformed put",
		serve: event("put", `{"path":"/","data":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+"}")},
	{name: "JSON objects nested 100,000 deep", kind: autoconfig.ErrorKindInvalidData, message: "malformed patch",
		serve: event("patch", strings.Repeat(`{"data":`, 100_000)+"1"+strings.Repeat("}", 100_000))},
	{name: "keys twice", serve: harmless(eventText("patch", `{"path":"/flags/x","path":"/environments/e","data":{"envID":"e","version":1,"version":2,`+
		`"sdkKey":{"value":"a","value":"b"},"sdkKey":{"value":""}}}`) + eventText("patch", `{"path":"/nothing","path":"/x","data":{},"data":1}`)),
		kind: autoconfig.ErrorKindInvalidData, message: "malformed set of keys"},
	{name: "a version that is negative", serve: harmless(eventText("patch", environment("negative", "-5")) + eventText("delete", `{"path":"/environments/negative","version":-4}`))},
	{name: "a version that is fractional", kind: autoconfig.ErrorKindInvalidData, message: "malformed patch", serve: event("patch", environment("e", "1.5"))},
	{name: "a version beyond int64", kind: autoconfig.ErrorKindInvalidData, message: "malformed patch", serve: event("patch", environment("e", "9223372036854775808"))},
	{name: "a version that is a string", kind: autoconfig.ErrorKindInvalidData, message: "malformed patch", serve: event("patch", environment("e", `"1"`))},
	{name: "a time beyond everything", kind: autoconfig.ErrorKindInvalidData, message: "malformed patch",
		serve: event("patch", `{"path":"/environments/e","data":{"envID":"e","sdkKey":{"value":"k","expiring":{"value":"o","timestamp":1e400}},"version":1}}`)},
	{name: "an id of a megabyte that differs", heap: 24, serve: harmless(eventText("patch", environment(strings.Repeat("i", megabyte), "1")+" "))},
	{name: "a path of a megabyte", heap: 24, serve: harmless(eventText("delete", `{"path":"/`+strings.Repeat("p", megabyte)+`","version":1}`))},
	{name: "an event name of a megabyte", heap: 24, serve: harmless(eventText(strings.Repeat("n", megabyte), "x"))},
	{name: "a comment of a megabyte", heap: 24, serve: harmless(":" + strings.Repeat("c", megabyte) + "\n")},
	{name: "a malformed event without end of its strings", kind: autoconfig.ErrorKindInvalidData, message: "malformed put",
		heap: 64, serve: event("put", `{"path":"`+strings.Repeat(`\u0041`, 2*megabyte))},
	{name: "nothing", kind: autoconfig.ErrorKindTimeout, message: "nothing came", serve: harmless("")},
	{name: "an end at once", kind: autoconfig.ErrorKindNetwork, message: "ended the connection",
		serve: func(w http.ResponseWriter, _ *http.Request) { stream(w, "") }},
	{name: "not HTTP", kind: autoconfig.ErrorKindNetwork, message: "malformed HTTP", serve: raw("SSH-2.0-OpenSSH_9.9\r\n", func(io.Writer) error { return io.EOF })},
}

func eventText(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// environment is a patch.
func environment(id, version string) string {
	return fmt.Sprintf(`{"path":"/environments/%s","data":{"envID":"%.100s","sdkKey":{"value":"sdk"},"version":%s}}`, id, id, version)
}

func stream(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

// event sends one and nothing more.
func event(name, data string) http.HandlerFunc { return harmless(eventText(name, data)) }

// harmless sends a text and then nothing more.
func harmless(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		stream(w, text)
		<-r.Context().Done()
	}
}

// endless repeats a text until the client leaves.
func endless(start, more string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		stream(w, start)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, more); err != nil {
				return
			}
		}
	}
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func retryAfter(value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", value)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// raw writes to the connection itself, and goes on until there is an error.
func raw(start string, more func(io.Writer) error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		for _, err = io.WriteString(conn, start); err == nil; err = more(conn) {
			continue
		}
	}
}

// bomb is 64 MB of spaces in 64 kB.
func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = w.Write(bombText)
}

var bombText = func() []byte {
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	for range 64 {
		_, _ = zip.Write(bytes.Repeat([]byte(" "), megabyte))
	}
	_ = zip.Close()
	return compressed.Bytes()
}()
