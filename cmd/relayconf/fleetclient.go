package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/ops"
)

// hubClient asks a hub's admin listener.
type hubClient struct {
	url   *url.URL
	token string
	http  *http.Client
}

func (o fleetOptions) client() (*hubClient, error) {
	address := o.adminAddr
	if strings.HasPrefix(address, ":") { // serve listens at all addresses then
		address = "127.0.0.1" + address
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, usageError("--admin-addr must be like 127.0.0.1:8031 or https://hub.example")
	}
	c := &hubClient{url: u, http: http.DefaultClient}
	if o.adminCA+o.adminCert+o.adminCertKey != "" {
		if c.http, err = o.httpClient(u.Scheme); err != nil {
			return nil, withCode(exitUsage, err)
		}
	}
	if o.adminTokenFile != "" {
		if c.token, err = ops.ReadToken(o.adminTokenFile); err != nil {
			return nil, withCode(exitUsage, err)
		}
	}
	return c, nil
}

// httpClient is for an admin listener with a private authority, or one that needs a client certificate.
func (o fleetOptions) httpClient(scheme string) (*http.Client, error) {
	if scheme != "https" {
		return nil, errors.New("--admin-ca and --admin-cert are of no use without an --admin-addr of https://")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.adminCA != "" {
		authorities, err := os.ReadFile(o.adminCA)
		if err != nil {
			return nil, fmt.Errorf("--admin-ca can't be read: %w", err)
		}
		if config.RootCAs, err = x509.SystemCertPool(); err != nil {
			config.RootCAs = x509.NewCertPool() // a system without any
		}
		if !config.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, fmt.Errorf("--admin-ca %s holds no certificate in PEM form", o.adminCA)
		}
	}
	if o.adminCert+o.adminCertKey != "" {
		pair, err := tls.LoadX509KeyPair(o.adminCert, o.adminCertKey)
		if err != nil {
			return nil, fmt.Errorf("--admin-cert and --admin-cert-key can't be used: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	return &http.Client{Transport: transport}, nil
}

// fleetTimeout is for one request, other than wait: more than a call of a relay may take.
const fleetTimeout = 30 * time.Second

// open sends a request. The body of the response is the caller's to close. A nil body makes it a GET.
func (c *hubClient) open(ctx context.Context, path string, query url.Values, body any) (*http.Response, error) {
	u := c.url.JoinPath(path)
	u.RawQuery = query.Encode()
	method, content := http.MethodGet, []byte(nil)
	if body != nil {
		method = http.MethodPost
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent())
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the hub can't be reached: %w; see --admin-addr", err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	return nil, refusalOf(response)
}

// refusalOf makes an error of an answer that is none.
func refusalOf(response *http.Response) error {
	const most = 64 << 10
	text, _ := io.ReadAll(io.LimitReader(response.Body, most)) // after a read error, the text so far is shown
	var refusal fleet.ErrorAnswer
	if json.Unmarshal(text, &refusal) != nil || refusal.Error == "" {
		refusal.Error = fmt.Sprintf("the admin listener answers with HTTP status %d: %s", response.StatusCode, strings.TrimSpace(string(text)))
	}
	err := fmt.Errorf("%s", refusal.Error)
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound:
		return withCode(exitUsage, err)
	default:
		return err
	}
}

// get asks for JSON.
func (c *hubClient) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.ask(ctx, path, query, nil, into)
}

// post asks for something to be done.
func (c *hubClient) post(ctx context.Context, path string, body, into any) error {
	return c.ask(ctx, path, nil, body, into)
}

func (c *hubClient) ask(ctx context.Context, path string, query url.Values, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, fleetTimeout)
	defer cancel()
	response, err := c.open(ctx, path, query, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("the hub's answer is not JSON as expected; is --admin-addr an admin listener? %w", err)
	}
	return nil
}
