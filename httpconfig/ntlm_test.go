package httpconfig

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

// ntlmChallenge is message 2 of NTLM, with the server's target name, in a given place, and an empty target info.
func ntlmChallenge(target string, offset uint32) string {
	const flags = 1 | 1<<9 | 1<<23 // Unicode, NTLM, target info
	name := encodeUTF16(target)
	m := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	m = appendField(m, len(name), offset)
	m = binary.LittleEndian.AppendUint32(m, flags)
	m = append(m, "8 bytes.\x00\x00\x00\x00\x00\x00\x00\x00"...)
	m = appendField(m, 4, 48+uint32(len(name)))
	m = append(append(m, name...), 0, 0, 0, 0)
	return base64.StdEncoding.EncodeToString(m)
}

func appendField(m []byte, length int, offset uint32) []byte {
	m = binary.LittleEndian.AppendUint16(m, uint16(length))
	m = binary.LittleEndian.AppendUint16(m, uint16(length))
	return binary.LittleEndian.AppendUint32(m, offset)
}

func encodeUTF16(s string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// ntlmMessage is what a request says in NTLM.
type ntlmMessage struct {
	connect string // the target
	kind    uint32
	text    string // the message, in which names can be found
}

// readNTLM reads a CONNECT request.
func readNTLM(r *bufio.Reader) (ntlmMessage, error) {
	req, err := http.ReadRequest(r)
	if err != nil {
		return ntlmMessage{}, err
	}
	encoded, isNTLM := strings.CutPrefix(req.Header.Get("Proxy-Authorization"), "NTLM ")
	message, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !isNTLM || req.Method != http.MethodConnect || !strings.HasPrefix(string(message), "NTLMSSP\x00") {
		return ntlmMessage{}, fmt.Errorf("not a request for a tunnel with NTLM: %v", req)
	}
	return ntlmMessage{req.RequestURI, binary.LittleEndian.Uint32(message[8:]), string(message)}, nil
}

const (
	challenged = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM %s\r\nContent-Length: 5\r\n\r\nlogin"
	opened     = "HTTP/1.1 200 Connection established\r\n\r\n"
)

// goodNTLMProxy opens tunnels to one server, and passes on the messages that it gets.
func goodNTLMProxy(server string, messages chan<- ntlmMessage) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for _, answer := range []string{fmt.Sprintf(challenged, ntlmChallenge("CORP", 48)), opened} {
			message, err := readNTLM(r)
			if err != nil {
				return
			}
			messages <- message
			_, _ = io.WriteString(conn, answer)
		}
		target, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		join(conn, target)
	}
}

func TestNTLMProxyOpensATunnel(t *testing.T) {
	ca := newPrivateCA(t)
	answer := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello "+r.Host) }
	plain, secure := newServer(t, answer), newTLSServer(t, ca, true, answer)
	for _, c := range []struct{ name, scheme, target, server, tunnel, proto string }{
		{"http", "http", "http://relay.test/", plain.Listener.Addr().String(), "relay.test:80", "HTTP/1.1"},
		{"https", "http", "https://relay.test/", secure.Listener.Addr().String(), "relay.test:443", "HTTP/2.0"},
		{"https to an https proxy", "https", "https://relay.test/", secure.Listener.Addr().String(), "relay.test:443", "HTTP/2.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			messages := make(chan ntlmMessage, 10)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			addr := listener.Addr().String()
			if c.scheme == "https" {
				listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{ca.server}})
			}
			serveOn(t, listener, goodNTLMProxy(c.server, messages))
			client := newConfig(t, config.ProxyConfig{
				URL: mustParse(t, c.scheme+"://"+addr), NTLMAuth: true, User: "alice", Password: "secret", Domain: "corp",
				CACertFiles: []string{ca.file},
			}).Client()
			resp, err := get(t, client, c.target)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, "hello relay.test", string(text))
			assert.Equal(t, c.proto, resp.Proto)

			negotiate, authenticate := <-messages, <-messages
			assert.Equal(t, c.tunnel, negotiate.connect)
			assert.EqualValues(t, 1, negotiate.kind)
			assert.Contains(t, negotiate.text, "CORP")
			assert.Equal(t, c.tunnel, authenticate.connect)
			assert.EqualValues(t, 3, authenticate.kind)
			assert.Contains(t, authenticate.text, string(encodeUTF16("alice")))
			assert.NotContains(t, authenticate.text, string(encodeUTF16("secret")))
		})
	}
}

// ntlmScript answers each request for a tunnel with the next text, and then waits for the client to hang up.
func ntlmScript(hungUp chan<- struct{}, answers ...string) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for _, answer := range answers {
			if _, err := readNTLM(r); err != nil {
				break
			}
			_, _ = io.WriteString(conn, answer)
		}
		_, _ = io.Copy(io.Discard, r)
		close(hungUp)
	}
}

func TestNTLMProxyThatFailsIsHungUpOn(t *testing.T) {
	challenge := fmt.Sprintf(challenged, ntlmChallenge("CORP", 48))
	endless := "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 9999999\r\n\r\n" + strings.Repeat("x", maxNTLMBytes)
	for _, c := range []struct {
		name    string
		answers []string
		want    string
	}{
		{"wrong password", []string{challenge, challenge}, "(Proxy Authentication Required). Check PROXY_AUTH_USER"},
		{"no such tunnel", []string{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"}, "(Forbidden)"},
		{"no NTLM", []string{"HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"},
			"no NTLM challenge received"},
		{"not HTTP", []string{"SSH-2.0-proxy\r\n"}, "malformed HTTP response"},
		{"challenge that is not base64", []string{fmt.Sprintf(challenged, "%%%")}, "illegal base64"},
		{"challenge that points outside", []string{fmt.Sprintf(challenged, ntlmChallenge("CORP", 0xffff_fffc))}, "malformed"},
		{"answer without end", []string{endless}, "too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			hungUp := make(chan struct{})
			addr := serve(t, ntlmScript(hungUp, c.answers...))
			_, err := get(t, newNTLMConfig(t, addr, defaultLimits.dial).Client(), "https://relay.test/")
			require.ErrorContains(t, err, "the NTLM proxy "+addr)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "secret")
			requireClosed(t, hungUp)
		})
	}
}

func TestNTLMProxyThatIsSilentRunsIntoTheDialLimit(t *testing.T) {
	hungUp := make(chan struct{})
	addr := serve(t, ntlmScript(hungUp))
	_, err := get(t, newNTLMConfig(t, addr, 200*time.Millisecond).Client(), "https://relay.test/")
	require.ErrorContains(t, err, "the NTLM proxy "+addr+" opened no tunnel within 200ms")
	var netErr net.Error
	require.ErrorAs(t, err, &netErr)
	assert.True(t, netErr.Timeout())
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	requireClosed(t, hungUp)
}

func TestNTLMNegotiationEndsWithTheRequest(t *testing.T) {
	reached := make(chan struct{})
	hungUp := make(chan struct{})
	addr := serve(t, func(conn net.Conn) {
		if _, err := readNTLM(bufio.NewReader(conn)); err == nil {
			close(reached)
		}
		_, _ = io.Copy(io.Discard, conn)
		close(hungUp)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://relay.test/", nil)
	require.NoError(t, err)
	client := newNTLMConfig(t, addr, time.Hour).Client()
	failed := make(chan error, 1)
	go func() {
		_, err := client.Do(req)
		failed <- err
	}()
	requireClosed(t, reached)
	cancel()
	assert.ErrorIs(t, <-failed, context.Canceled)
	requireClosed(t, hungUp)
}

func TestNTLMProxyThatIsGone(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = get(t, newNTLMConfig(t, addr, defaultLimits.dial).Client(), "https://relay.test/")
	assert.ErrorContains(t, err, "connecting to the NTLM proxy "+addr)
}

func TestNTLMProxyIsTheOnlyProxy(t *testing.T) {
	client := newNTLMConfig(t, "proxy.example:3128", defaultLimits.dial).Client()
	assert.Nil(t, client.Transport.(*roundTripper).next.Proxy, "the standard proxy variables would lead to another")
}

func newNTLMConfig(t *testing.T, addr string, dial time.Duration) HTTPConfig {
	t.Helper()
	proxy := config.ProxyConfig{URL: mustParse(t, "http://"+addr), NTLMAuth: true, User: "alice", Password: "secret"}
	return newLimitedConfig(t, proxy, func(l *limits) { l.dial = dial })
}

func requireClosed(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(deadline):
		t.Fatal("the other side is still waiting")
	}
}
