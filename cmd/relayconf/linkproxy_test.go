//go:build linux && servers

package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/internal/freeport"
)

// proxyProgram is a proxy from Debian's packages. Its configuration is a template.
type proxyProgram struct {
	path   string
	args   []string
	config string
}

const proxyPassword = "proxy-password-hunter2"

var (
	tinyproxyProgram = proxyProgram{"tinyproxy", []string{"-d", "-c"}, `
Listen 127.0.0.1
Port {{.Port}}
Timeout 600
MaxClients 20
BasicAuth relay {{.Password}}
DisableViaHeader Yes
`}
	// haproxyProgram puts TLS before another proxy.
	haproxyProgram = proxyProgram{"/usr/sbin/haproxy", []string{"-db", "-f"}, `
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend proxy
  bind 127.0.0.1:{{.Port}} ssl crt {{.TLSFile}}
  default_backend plain
backend plain
  server plain {{.Service}}
`}
	// nginxProgram puts TLS before a hub.
	nginxProgram = proxyProgram{"/usr/sbin/nginx", []string{"-c"}, `
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
    listen 127.0.0.1:{{.Port}} ssl;
    ssl_certificate {{.TLSFile}};
    ssl_certificate_key {{.TLSFile}};
    location / { proxy_pass http://{{.Service}}; }
    location /link {
      proxy_pass http://{{.Service}};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
  }
}
`}
)

// start starts a proxy before a service, with a certificate of the authority, and returns its address.
func (p proxyProgram) start(t *testing.T, ca *authority, service string) string {
	t.Helper()
	address := freeport.Address(t)
	folder := t.TempDir()
	cert, key := ca.issue(p.path)
	pem := write(t, filepath.Join(folder, "tls.pem"), string(must(os.ReadFile(cert)))+string(must(os.ReadFile(key))))
	var config bytes.Buffer
	_, port, _ := net.SplitHostPort(address)
	require.NoError(t, template.Must(template.New("").Parse(p.config)).Execute(&config, map[string]string{
		"Dir": folder, "Port": port, "TLSFile": pem, "Service": service, "Password": proxyPassword}))
	binary, err := exec.LookPath(p.path)
	require.NoError(t, err, "install it: apt-get install nginx haproxy tinyproxy")
	command := exec.Command(binary, append(p.args, write(t, filepath.Join(folder, "config"), config.String()))...)
	var output text
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also if the test is killed
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", p.path, &output)
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, soon, 10*time.Millisecond, "%s does not listen", p.path)
	return address
}

func TestLinksThroughRealProxies(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.issue("the hub")
	environments := inFile(t, "environments.yaml", hubFile)
	plain := startHub(t, hubKey, "--environments", environments)
	secure := startHub(t, hubKey, "--environments", environments, "--tls-cert", cert, "--tls-key", key)
	plainAddress, secureAddress := strings.TrimPrefix(plain.url("relays"), "http://"), strings.TrimPrefix(secure.url("relays"), "https://")
	forward := tinyproxyProgram.start(t, ca, "")
	forwardTLS := haproxyProgram.start(t, ca, forward)
	reverse := nginxProgram.start(t, ca, plainAddress)
	through := func(proxy, password string) []string {
		return []string{"PROXY_URL=" + proxy, "PROXY_AUTH_USER=relay", "PROXY_AUTH_PASSWORD=" + password}
	}
	for _, row := range []struct {
		name, service, link string
		proxy               []string
		hub                 hubProcess
		fails               string // empty: it links
	}{
		{"a forward proxy", "http://" + plainAddress, "ws://" + plainAddress, through("http://"+forward, proxyPassword), plain, ""},
		{"a forward proxy, TLS to the hub", "https://" + secureAddress, "wss://" + secureAddress, through("http://"+forward, proxyPassword), secure, ""},
		{"a forward proxy over TLS", "https://" + secureAddress, "wss://" + secureAddress, through("https://"+forwardTLS, proxyPassword), secure, ""},
		{"a wrong password", "https://" + secureAddress, "wss://" + secureAddress, through("http://"+forward, "wrong-password"), secure, "Unauthorized"},
		{"nginx with TLS", "https://" + reverse, "wss://" + reverse, nil, plain, ""},
		{"a forward proxy, and nginx with TLS", "https://" + reverse, "wss://" + reverse, through("http://"+forward, proxyPassword), plain, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			name := strings.ReplaceAll(row.name, " ", "-")
			p := start(t, append(append(service(row.service), "PROXY_CA_CERTS="+ca.file), row.proxy...), "watch", "--link", row.link+linkPath, "--name", name)
			if row.fails != "" {
				p.says(&p.stderr, "No link to the hub")
				p.says(&p.stderr, row.fails)
			} else {
				p.says(&p.stderr, "Linked to the hub")
				require.Eventually(t, func() bool {
					for _, r := range listed(t, row.hub) {
						if r.Name == name && r.InSync {
							return true
						}
					}
					return false
				}, soon, 100*time.Millisecond)
			}
			assert.NotContains(t, p.stderr.String(), "password")
		})
	}
}
