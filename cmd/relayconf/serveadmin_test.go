package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheAdminListenerIsOfThisMachineByDefault(t *testing.T) {
	flag := newServe().Flag("admin-addr")
	assert.Equal(t, "127.0.0.1:8031", flag.DefValue)
}

func TestAnAdminListenerForOthersWarnsLoudly(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef0123456789abcdef"
	path := inFile(t, "environments.yaml", hubFile)
	h := startHub(t, hubKey, "--environments", path, "--admin-addr", "0.0.0.0:0", "--admin-token-file", inFile(t, "token", token))
	h.serves()
	assert.Contains(t, h.stderr.String(), `"level":"WARN","msg":"THE ADMIN LISTENER CAN BE REACHED FROM OTHER MACHINES"`)
	assert.Contains(t, h.stderr.String(), "is sent in plain text")
	quiet := startHub(t, hubKey, "--environments", path)
	quiet.serves()
	assert.NotContains(t, quiet.stderr.String(), "ADMIN LISTENER")
}

func TestOperatorsCanShowCertificates(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.issue("the hub")
	operatorCert, operatorKey := ca.issue("an operator")
	strangerCert, strangerKey := newAuthority(t).issue("a stranger")
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile), "--admin-addr", "0.0.0.0:0",
		"--admin-tls-cert", cert, "--admin-tls-key", key, "--admin-tls-client-ca", ca.file)
	h.serves()
	port := h.url("admin")[strings.LastIndex(h.url("admin"), ":")+1:]
	admin := "https://127.0.0.1:" + port
	assert.Contains(t, h.stderr.String(), `"needs":"a client certificate"`)
	assert.NotContains(t, h.stderr.String(), "plain text")
	for _, row := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"its certificate", []string{"--admin-ca", ca.file, "--admin-cert", operatorCert, "--admin-cert-key", operatorKey}, exitOK, ""},
		{"no certificate", []string{"--admin-ca", ca.file}, exitUnexpected, "the hub can't be reached"}, // the refusal may come as an alert or as a reset,
		{"a stranger's", []string{"--admin-ca", ca.file, "--admin-cert", strangerCert, "--admin-cert-key", strangerKey}, exitUnexpected, "the hub can't be reached"},
		{"no authority", []string{"--admin-cert", operatorCert, "--admin-cert-key", operatorKey}, exitUnexpected, "unknown authority"},
		{"half a certificate", []string{"--admin-ca", ca.file, "--admin-cert", operatorCert}, exitUsage, "--admin-cert-key"},
		{"no PEM", []string{"--admin-ca", operatorKey}, exitUsage, "holds no certificate"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := start(t, nil, append([]string{"fleet", "list", "--admin-addr", admin}, row.args...)...)
			p.exit(row.code)
			assert.Contains(t, p.stderr.String(), row.want)
		})
	}
	p := start(t, nil, "fleet", "list", "--admin-addr", "127.0.0.1:1", "--admin-ca", ca.file)
	p.exit(exitUsage)
	assert.Contains(t, p.stderr.String(), "https://")
}

func TestACertificateAndATokenAreBothNeeded(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef0123456789abcdef"
	ca := newAuthority(t)
	cert, key := ca.issue("the hub")
	h := startHub(t, hubKey, "--environments", inFile(t, "environments.yaml", hubFile), "--admin-token-file", inFile(t, "token", token),
		"--admin-tls-cert", cert, "--admin-tls-key", key, "--admin-tls-client-ca", ca.file)
	h.serves()
	o := fleetOptions{adminCA: ca.file, adminCert: cert, adminCertKey: key}
	client, err := o.httpClient("https")
	require.NoError(t, err)
	for header, want := range map[string]int{"": http.StatusUnauthorized, "Bearer " + token: http.StatusOK} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url("admin")+"/status", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", header)
		response, err := client.Do(request)
		require.NoError(t, err)
		_ = response.Body.Close()
		assert.Equal(t, want, response.StatusCode)
	}
}
