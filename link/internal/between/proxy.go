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
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
)

// Idle is after how long without a byte the proxies cut a line.
const Idle = 2 * time.Second

// soon is how long a proxy has to listen, before a test fails.
const soon = 30 * time.Second

// Program is one that can stand between.
type Program struct {
	path   string // where Debian has it
	args   []string
	config string // a template
}

// Programs are all that there are, by name.
var Programs = map[string]Program{"nginx": nginx, "haproxy": haproxy}

// Proxy is a running one. Its address stays the same when it is started again.
type Proxy struct {
	Address string

	t       testing.TB
	program Program
	file    string // its configuration
	command *exec.Cmd
	output  bytes.Buffer
}

// Run starts a proxy before a service, with TLS or without, and returns when it listens. It ends with the test.
func (p Program) Run(t testing.TB, service string, withTLS bool) *Proxy {
	t.Helper()
	folder := t.TempDir()
	proxy := &Proxy{Address: FreeAddress(t), t: t, program: p, file: filepath.Join(folder, "config")}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "tls.pem"), certificate, 0o600))
	var config bytes.Buffer
	require.NoError(t, template.Must(template.New("").Parse(p.config)).Execute(&config, map[string]any{
		"Dir": folder, "Listen": proxy.Address, "TLS": withTLS, "Idle": Idle.String(), "Service": service,
	}))
	require.NoError(t, os.WriteFile(proxy.file, config.Bytes(), 0o600))
	proxy.Start()
	t.Cleanup(func() {
		proxy.Kill()
		if t.Failed() {
			t.Logf("%s said: %s", p.path, proxy.output.String())
		}
	})
	return proxy
}

// Start starts it, at first or after Kill.
func (p *Proxy) Start() {
	p.t.Helper()
	program, err := exec.LookPath(p.program.path)
	require.NoError(p.t, err, "install it: apt-get install nginx haproxy")
	p.command = exec.Command(program, append(p.program.args, p.file)...)
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also if the test is killed
	require.NoError(p.t, p.command.Start())
	require.Eventually(p.t, func() bool {
		conn, err := net.Dial("tcp", p.Address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, soon, 10*time.Millisecond, "%s does not listen", p.program.path)
}

// Kill ends it at once, and every line through it.
func (p *Proxy) Kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// Roots trusts the proxies' certificate.
func Roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return roots
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

var nginx = Program{path: "/usr/sbin/nginx", args: []string{"-c"}, config: `
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

var haproxy = Program{path: "/usr/sbin/haproxy", args: []string{"-db", "-f"}, config: `
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
