//go:build linux && servers

package between

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/faults/rig"
	"github.com/relayconf/relayconf/internal/freeport"
)

// idle is after how many seconds without a byte each of them drops a connection.
const idle = 4

// daemon is a program that a test runs, with a configuration in a directory of its own.
type daemon struct {
	program string // where Debian has it
	config  string // a template
	args    []string
}

// settings are what the configurations need to know.
type settings struct {
	Dir, Listen, Service string
	TLS, HTTP2           bool
	Buffers              bool // the response, even if the service asks for the contrary
	Untouched            bool // nginx's defaults: it buffers unless the service asks for the contrary
	HTTP10               bool // towards the service: nginx's default
	Idle                 int
	Port                 string
}

// start runs it until the test ends, and returns when it listens.
func (d daemon) start(t *testing.T, s settings) (address string) {
	t.Helper()
	program, err := exec.LookPath(d.program)
	require.NoError(t, err, "install it: apt-get install nginx haproxy tinyproxy")
	s.Dir, s.Listen, s.Idle = t.TempDir(), freeport.Address(t), idle
	_, s.Port, _ = net.SplitHostPort(s.Listen)
	if s.TLS {
		require.NoError(t, os.WriteFile(filepath.Join(s.Dir, "tls.pem"), certificate, 0o600))
	}
	var config bytes.Buffer
	require.NoError(t, template.Must(template.New("").Parse(d.config)).Execute(&config, s))
	file := filepath.Join(s.Dir, "config")
	require.NoError(t, os.WriteFile(file, config.Bytes(), 0o600))

	var output bytes.Buffer
	command := exec.Command(program, append(d.args, file)...)
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also if the test is killed
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", d.program, output.String())
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", s.Listen)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, rig.Soon, 10*time.Millisecond, "%s does not listen", d.program)
	return s.Listen
}

// certificate is a key and a certificate for 127.0.0.1 that is signed by itself.
var certificate = makeCertificate()

func makeCertificate() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
}

// caFile is the certificate alone, for the relay to trust.
func caFile(t *testing.T) string {
	text, _, _ := strings.Cut(string(certificate), "-----BEGIN PRIVATE KEY")
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

var nginx = daemon{program: "/usr/sbin/nginx", args: []string{"-c"}, config: `
daemon off;
master_process off;
pid {{.Dir}}/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path {{.Dir}}/body;
  proxy_temp_path {{.Dir}}/proxy;
  fastcgi_temp_path {{.Dir}}/fastcgi;
  uwsgi_temp_path {{.Dir}}/uwsgi;
  scgi_temp_path {{.Dir}}/scgi;
  server {
    listen {{.Listen}}{{if .TLS}} ssl{{end}}{{if .HTTP2}} http2{{end}};
    {{if .TLS}}ssl_certificate {{.Dir}}/tls.pem; ssl_certificate_key {{.Dir}}/tls.pem;{{end}}
    location / {
      proxy_pass {{.Service}};
      proxy_http_version {{if .HTTP10}}1.0{{else}}1.1{{end}};
      proxy_set_header Connection "";
      proxy_set_header X-Client-Protocol $server_protocol;
      {{if not .Untouched}}proxy_buffering {{if .Buffers}}on{{else}}off{{end}};{{end}}
      {{if .Buffers}}proxy_ignore_headers X-Accel-Buffering;{{end}}
      proxy_read_timeout {{.Idle}}s;
    }
  }
}
`}

var haproxy = daemon{program: "/usr/sbin/haproxy", args: []string{"-db", "-f"}, config: `
defaults
  mode http
  timeout connect {{.Idle}}s
  timeout client {{.Idle}}s
  timeout server {{.Idle}}s
frontend relays
  bind {{.Listen}}{{if .TLS}} ssl crt {{.Dir}}/tls.pem alpn {{if .HTTP2}}h2,{{end}}http/1.1{{end}}
  http-request set-header X-Client-Protocol HTTP/%[req.ver]
  default_backend service
backend service
  server service {{slice .Service 7}}
`}

var tinyproxy = daemon{program: "/usr/bin/tinyproxy", args: []string{"-d", "-c"}, config: `
Listen 127.0.0.1
Port {{.Port}}
Timeout {{.Idle}}
MaxClients 20
BasicAuth relay proxy-password
DisableViaHeader Yes
`}
