package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// transferTimeout is for one value to be read or written, where the URL says nothing else: a large one takes long on a
// slow network. Whoever waits for it is bounded by a context.
const transferTimeout = 30 * time.Second

// NewFromURL returns a store at the place that a URL says. It connects to nothing yet. Close it when it is done with.
//
//	redis://user:password@host:6379/0                                one server; the number is that of the database
//	unix:///run/redis.sock?db=0                                      one server, by its socket
//	redis+sentinel://host:26379/0?master_name=main&addr=host2:26379  the master that Sentinels know
//	redis+cluster://user:password@host:6379?addr=host2:6379          a Cluster
//
// With rediss instead of redis, each connection is by TLS. Further addresses and other settings of the client are given
// as by its ParseURL, ParseFailoverURL and ParseClusterURL; so with Sentinels, the user and the password in front of the
// host are those of the Sentinels, and those of the server are the parameters username and password.
//
// Two parameters are of this package: ca_file is a PEM file of the certificates to trust with TLS instead of the
// system's, and prefix counts in place of Options.Prefix. No error quotes the URL, which may hold a password.
func NewFromURL(rawURL string, options Options) (*Store, error) {
	client, err := NewClient(rawURL, transferTimeout)
	if err != nil {
		return nil, err
	}
	if client.Prefix != "" {
		options.Prefix = client.Prefix
	}
	s, err := New(client.UniversalClient, options)
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	s.owned, s.server = true, client.Server
	return s, nil
}

// Client is a client of the place that a URL says. Close it when it is done with.
type Client struct {
	redis.UniversalClient
	Server string // the host and port of the URL, or the path of its socket, for logs; it holds no password
	Prefix string // the parameter prefix of the URL; empty if it has none
}

// NewClient returns a client for other uses of a server than a Store, of the same URLs: see NewFromURL. The timeout is for
// a read or a write, where the URL says nothing else. It connects to nothing yet, and reads from masters only. No error
// quotes the URL.
func NewClient(rawURL string, timeout time.Duration) (*Client, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the Redis URL makes no sense (it is not shown, since it may hold a password): " +
			"it should be like redis://user:password@host:6379/0, with special characters percent-encoded")
	}
	query := u.Query()
	c := &Client{Server: u.Host, Prefix: query.Get("prefix")}
	if u.Scheme == "unix" {
		c.Server = u.Path
	}
	roots, err := readCAFile(u.Scheme, query.Get("ca_file"))
	if err != nil {
		return nil, err
	}
	query.Del("prefix")
	query.Del("ca_file")
	u.RawQuery = query.Encode()
	if c.UniversalClient, err = newClient(u, roots, timeout); err != nil {
		return nil, fmt.Errorf("the Redis URL can't be used: %w", err)
	}
	return c, nil
}

// newClient makes the client that the scheme asks for.
func newClient(u *url.URL, roots *x509.CertPool, timeout time.Duration) (redis.UniversalClient, error) {
	var connect func(url string, roots *x509.CertPool, timeout time.Duration) (redis.UniversalClient, error)
	switch u.Scheme {
	case "redis", "rediss", "unix":
		connect = newSingle
	case "redis+sentinel", "rediss+sentinel":
		connect = newSentinel
	case "redis+cluster", "rediss+cluster":
		connect = newCluster
	default:
		return nil, fmt.Errorf("its scheme is %q; it should be redis, rediss, unix, or one of the former two followed by "+
			"+sentinel or +cluster", u.Scheme)
	}
	if err := checkSecrets(u); err != nil {
		return nil, err
	}
	if err := checkPorts(u); err != nil {
		return nil, err
	}
	plain := *u
	plain.Scheme, _, _ = strings.Cut(u.Scheme, "+")
	return connect(plain.String(), roots, timeout)
}

// checkSecrets refuses texts that look like a password in the wrong place, since the client would quote them in an error.
func checkSecrets(u *url.URL) error {
	if path := strings.Trim(u.Path, "/"); u.Scheme != "unix" && strings.Trim(path, "0123456789") != "" {
		return errors.New("its path should be empty, or the number of a database")
	}
	if addresses := u.Query()["addr"]; strings.Contains(strings.Join(addresses, ""), "@") {
		return errors.New("its parameter addr should be a host and a port, without a user")
	}
	return nil
}

// checkPorts refuses ports that no server can have. The client would find that out at each attempt to connect.
func checkPorts(u *url.URL) error {
	for _, address := range append([]string{u.Host}, u.Query()["addr"]...) {
		port := (&url.URL{Host: address}).Port()
		if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
			return fmt.Errorf("its port is %s; it should be a number from 1 to 65535", port)
		}
	}
	return nil
}

// dialAttempts is how often an attempt at a command connects to a single server. The client tries commands again by itself, with
// pauses: further attempts to connect, 100 ms apart, would multiply with those, and put off the report of a server that is
// down for seconds.
const dialAttempts = 1

func newSingle(url string, roots *x509.CertPool, timeout time.Duration) (redis.UniversalClient, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	setTimeouts(timeout, &o.ReadTimeout, &o.WriteTimeout)
	setRoots(o.TLSConfig, roots)
	o.ContextTimeoutEnabled = true
	o.MaintNotificationsConfig = noMaintNotifications()
	o.DialerRetries = dialAttempts
	return redis.NewClient(o), nil
}

func newSentinel(url string, roots *x509.CertPool, timeout time.Duration) (redis.UniversalClient, error) {
	o, err := redis.ParseFailoverURL(url)
	if err != nil {
		return nil, err
	}
	if o.MasterName == "" {
		return nil, errors.New("it needs the parameter master_name, the name by which the Sentinels know the master")
	}
	if o.ReplicaOnly || o.RouteByLatency || o.RouteRandomly {
		return nil, errors.New("it asks to read from replicas, but only the master knows what is stored now")
	}
	setTimeouts(timeout, &o.ReadTimeout, &o.WriteTimeout)
	setRoots(o.TLSConfig, roots)
	setAnyServerName(o.TLSConfig)
	o.ContextTimeoutEnabled = true
	return redis.NewFailoverClient(o), nil
}

func newCluster(url string, roots *x509.CertPool, timeout time.Duration) (redis.UniversalClient, error) {
	o, err := redis.ParseClusterURL(url)
	if err != nil {
		return nil, err
	}
	if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
		return nil, errors.New("it asks to read from replicas, but only the master knows what is stored now")
	}
	setTimeouts(timeout, &o.ReadTimeout, &o.WriteTimeout)
	setRoots(o.TLSConfig, roots)
	setAnyServerName(o.TLSConfig)
	o.ContextTimeoutEnabled = true
	o.MaintNotificationsConfig = noMaintNotifications()
	o.ClusterStateReloadInterval = clusterStateInterval
	return redis.NewClusterClient(o), nil
}

// clusterStateInterval is how often a client that is used asks which nodes are masters. It learns of a failover by that alone:
// a master that is gone redirects nobody.
const clusterStateInterval = 5 * time.Second

func setTimeouts(timeout time.Duration, settings ...*time.Duration) {
	for _, setting := range settings {
		if *setting == 0 {
			*setting = timeout
		}
	}
}

func setRoots(config *tls.Config, roots *x509.CertPool) {
	if config != nil {
		config.MinVersion = tls.VersionTLS12
		config.RootCAs = roots
	}
}

// setAnyServerName has each node checked by its own name: the client would expect the name of the first host of all.
func setAnyServerName(config *tls.Config) {
	if config != nil {
		config.ServerName = ""
	}
}

// noMaintNotifications leaves out a command that only one vendor's servers know, and others log as an error.
func noMaintNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// readCAFile returns nil, which stands for the certificates of the system, if there is no file.
func readCAFile(scheme, path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	if !strings.HasPrefix(scheme, "rediss") {
		return nil, errors.New("the Redis URL has a ca_file, but no TLS: begin it with rediss")
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("could not read the ca_file of the Redis URL: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("there is no certificate in %s, the ca_file of the Redis URL", path)
	}
	return roots, nil
}
