package main

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWatchShowsTheReasonOfAHubThatRefusesIt(t *testing.T) {
	t.Parallel()
	noConfiguration := startHub(t, hubKey, "--stream-uri", "http://127.0.0.1:1")
	p := start(t, service(noConfiguration.url("relays")), "watch")
	p.says(&p.stderr, "503 Service Unavailable: this hub has no configuration yet")

	other := startHub(t, []string{"AUTO_CONFIG_KEY=rel-other"}, "--environments", inFile(t, "environments.yaml", hubFile))
	p = start(t, service(other.url("relays")), "watch")
	p.exit(exitPermanent)
	assert.Contains(t, p.stderr.String(), "401 Unauthorized: the key is not known to this hub")
	assert.NotContains(t, p.stderr.String(), testKey)
}

func TestARevokedKeyEndsAnHTTP2StreamInOrder(t *testing.T) {
	t.Parallel()
	const all, other = "keys:\n  - {name: all, key: " + testKey + "}\n", "keys:\n  - {name: other, key: rel-other}\n"
	keys := inFile(t, "keys.yaml", all)
	cert, key := certificate(t)
	h := startHub(t, nil, "--environments", inFile(t, "environments.yaml", hubFile), "--keys", keys, "--tls-cert", cert, "--tls-key", key)
	p := start(t, append(service(h.url("relays")), "PROXY_CA_CERTS="+cert), "watch")
	p.says(&p.stdout, "received all: 2 environments")
	replaceFile(t, keys, other)
	p.says(&p.stderr, "the service ended the connection")
	p.says(&p.stderr, "503 Service Unavailable: the key is not known to this hub, perhaps not yet")
	assert.NotContains(t, p.stderr.String(), "INTERNAL_ERROR")
}

// certificate writes a certificate for 127.0.0.1, which is its own authority, and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	der, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	require.NoError(t, err)
	return inFile(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))),
		inFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func TestAHubLogsRefusedAndRevokedRelays(t *testing.T) {
	t.Parallel()
	const all, shop = "keys:\n  - {name: all, key: rel-all}\n", "  - {name: shop, key: rel-shop, projects: [shop]}\n"
	keys := inFile(t, "keys.yaml", all+shop)
	h := startHub(t, nil, "--environments", inFile(t, "environments.yaml", hubFile), "--keys", keys)
	h.serves()
	for range 20 {
		asRelay(t, h.url("relays"), testKey)
	}
	h.says(&h.stderr, `"msg":"A relay was refused","key":"sha256:`)
	h.says(&h.stderr, `"reason":"the key is not known to this hub, perhaps not yet","address":"127.0.0.1:`)
	assert.LessOrEqual(t, strings.Count(h.stderr.String(), "A relay was refused"), 5, "once, and a summary each 10 s")
	assert.NotContains(t, h.stderr.String(), testKey)

	startRelay(t, h.url("relays"), "rel-shop").has(t, "shop/production")
	replaceFile(t, keys, all)
	h.says(&h.stderr, `"msg":"A relay's stream was ended","key":"shop","reason":"its key was revoked or changed"`)
}
