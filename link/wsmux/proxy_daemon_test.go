//go:build linux && servers

package wsmux_test

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
)

// proxyIdle is after how long without a byte the proxies cut a line.
const proxyIdle = 2 * time.Second

// proxy is a program that a test runs between the two ends.
type proxy struct {
	program string // where Debian has it
	config  string // a template
	args    []string
}

// start runs it until the test ends, and returns when it listens.
func (p proxy) start(t *testing.T, service string, withTLS bool) (address string) {
	t.Helper()
	program, err := exec.LookPath(p.program)
	require.NoError(t, err, "install it: apt-get install nginx haproxy")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = listener.Addr().String()
	require.NoError(t, listener.Close())

	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "tls.pem"), certificate, 0o600))
	var config bytes.Buffer
	require.NoError(t, template.Must(template.New("").Parse(p.config)).Execute(&config, map[string]any{
		"Dir": folder, "Listen": address, "TLS": withTLS, "Idle": proxyIdle.String(),
		"Service": strings.TrimPrefix(service, "http://"),
	}))
	file := filepath.Join(folder, "config")
	require.NoError(t, os.WriteFile(file, config.Bytes(), 0o600))

	var output bytes.Buffer
	command := exec.Command(program, append(p.args, file)...)
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also if the test is killed
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", p.program, output.String())
		}
	})
	eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, p.program+" listens")
	return address
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

var nginx = proxy{program: "/usr/sbin/nginx", args: []string{"-c"}, config: `
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
    listen {{.Listen}}{{if .TLS}} ssl{{end}};
    {{if .TLS}}ssl_certificate {{.Dir}}/tls.pem; ssl_certificate_key {{.Dir}}/tls.pem;{{end}}
    location / {
      proxy_pass http://{{.Service}};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout {{.Idle}};
      proxy_send_timeout {{.Idle}};
    }
  }
}
`}

var haproxy = proxy{program: "/usr/sbin/haproxy", args: []string{"-db", "-f"}, config: `
defaults
  mode http
  timeout connect {{.Idle}}
  timeout client {{.Idle}}
  timeout server {{.Idle}}
  timeout tunnel {{.Idle}}
frontend relays
  bind {{.Listen}}{{if .TLS}} ssl crt {{.Dir}}/tls.pem alpn http/1.1{{end}}
  default_backend service
backend service
  server service {{.Service}}
`}
