package ops

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/autoconfig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)

func report(state autoconfig.State, source autoconfig.Source, statusCode int) Report {
	r := Report{Status: autoconfig.Status{State: state, StateSince: now.Add(-time.Minute), Source: source, Environments: 3}}
	if source == autoconfig.SourceStore {
		r.SnapshotAge = time.Hour
	}
	if statusCode != 0 {
		r.LastError = &autoconfig.ErrorInfo{Kind: autoconfig.ErrorKindResponse, StatusCode: statusCode, Message: "it answered so", Time: now}
	}
	return r
}

func TestReadinessIsTruthful(t *testing.T) {
	draining := report(autoconfig.StateValid, autoconfig.SourceStream, 0)
	draining.Draining = true
	for _, row := range []struct {
		name      string
		report    Report
		ready     bool
		condition Condition
		reason    string
	}{
		{"before the first configuration", report(autoconfig.StateInitializing, autoconfig.SourceNone, 0), false, ConditionNoConfiguration, "no configuration yet"},
		{"the service is down", report(autoconfig.StateInitializing, autoconfig.SourceNone, 502), false, ConditionNoConfiguration, "it answered so"},
		{"the key is rejected", report(autoconfig.StateInitializing, autoconfig.SourceNone, 401), false, ConditionKeyRejected, "status 401"},
		{"all is well", report(autoconfig.StateValid, autoconfig.SourceStream, 0), true, ConditionOK, ""},
		{"all is well again", report(autoconfig.StateValid, autoconfig.SourceStream, 401), true, ConditionOK, ""},
		{"the line is lost", report(autoconfig.StateInterrupted, autoconfig.SourceStream, 0), true, ConditionStale, "1m0s"},
		{"the key is rejected later", report(autoconfig.StateInterrupted, autoconfig.SourceStream, 403), true, ConditionKeyRejected, "status 403"},
		{"from the cache", report(autoconfig.StateInitializing, autoconfig.SourceStore, 502), true, ConditionFromCache, "confirmed 1h0m0s ago: it answered so"},
		{"from the cache, and the key is rejected", report(autoconfig.StateInitializing, autoconfig.SourceStore, 401), true, ConditionKeyRejected, "401"},
		{"ended", report(autoconfig.StateOff, autoconfig.SourceStream, 401), false, ConditionEnded, "no longer followed"},
		{"draining", draining, false, ConditionDraining, "about to end"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := Assess(row.report, now)
			assert.Equal(t, row.ready, got.Ready)
			assert.Equal(t, row.condition, got.Condition)
			assert.Contains(t, got.Reason, row.reason)
			assert.Equal(t, row.condition == ConditionOK, got.Reason == "")
		})
	}
}

func TestReadinessSaysTheSourceAndItsAge(t *testing.T) {
	files := report(autoconfig.StateInterrupted, autoconfig.SourceStream, 0)
	files.Files = true
	heard := report(autoconfig.StateInterrupted, autoconfig.SourceStream, 0)
	heard.LastActivity = now.Add(-2 * time.Minute)
	lost := now.Add(-time.Minute).UTC().Format(time.RFC3339)
	for _, row := range []struct {
		name      string
		report    Report
		source    string
		age       time.Duration
		lostSince string
	}{
		{"none", report(autoconfig.StateInitializing, autoconfig.SourceNone, 0), "NONE", 0, ""},
		{"followed", report(autoconfig.StateValid, autoconfig.SourceStream, 0), "STREAM", 0, ""},
		{"lost", heard, "STREAM", 2 * time.Minute, lost},
		{"files with a mistake", files, "FILE", time.Minute, lost},
		{"from the cache", report(autoconfig.StateInitializing, autoconfig.SourceStore, 0), "STORE", time.Hour, lost},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := Assess(row.report, now)
			assert.Equal(t, row.source, got.Source)
			assert.Equal(t, row.lostSince, got.LostSince)
			require.Equal(t, row.age != 0, got.AgeSeconds != nil)
			if got.AgeSeconds != nil {
				assert.InDelta(t, row.age.Seconds(), *got.AgeSeconds, 0.001)
			}
		})
	}
}

// shown is an Ops whose report can be changed, behind both of its handlers on real sockets.
type shown struct {
	t      *testing.T
	ops    *Ops
	report atomic.Pointer[Report]
	block  atomic.Pointer[chan struct{}]
	probes *httptest.Server
	admin  *httptest.Server
}

func show(t *testing.T, admin Admin, options Options) *shown {
	s := &shown{t: t}
	r := report(autoconfig.StateInitializing, autoconfig.SourceNone, 0)
	s.report.Store(&r)
	options.Version, options.Logger = "1.2.3", slog.New(slog.DiscardHandler)
	options.Report = func() Report {
		if block := s.block.Load(); block != nil {
			<-*block
		}
		return *s.report.Load()
	}
	s.ops = New(options)
	s.probes = httptest.NewServer(s.ops.Probes())
	mux := s.ops.Operators()
	mux.HandleFunc("POST /change", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "changed") })
	s.admin = httptest.NewServer(admin.Guard(mux))
	t.Cleanup(s.probes.Close)
	t.Cleanup(s.admin.Close)
	return s
}

// do sends a request and returns the status and the body.
func (s *shown) do(method, url string, headers ...string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, url, nil)
	require.NoError(s.t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	assert.Equal(s.t, "no-store", response.Header.Get("Cache-Control"))
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return response.StatusCode, string(body)
}

func TestProbesShowLifeReadinessAndMetricsOnly(t *testing.T) {
	s := show(t, Admin{}, Options{Profiling: true})
	code, body := s.do("GET", s.probes.URL+"/livez")
	assert.Equal(t, 200, code, body)
	code, body = s.do("GET", s.probes.URL+"/readyz")
	assert.Equal(t, 503, code)
	assert.JSONEq(t, `{"ready": false, "condition": "no-configuration", "reason": "there is no configuration yet", "source": "NONE"}`, body)
	valid := report(autoconfig.StateValid, autoconfig.SourceStream, 0)
	s.report.Store(&valid)
	code, body = s.do("GET", s.probes.URL+"/readyz")
	assert.Equal(t, 200, code)
	assert.JSONEq(t, `{"ready": true, "condition": "ok", "source": "STREAM"}`, body)
	_, body = s.do("GET", s.probes.URL+"/metrics")
	for _, line := range []string{`relayconf_ready 1`, `relayconf_environments 3`, `relayconf_condition{condition="ok"} 1`,
		`relayconf_condition{condition="stale"} 0`, `relayconf_source_state{state="VALID"} 1`, `relayconf_build_info{version="1.2.3"} 1`} {
		assert.Contains(t, body, line+"\n")
	}
	for _, path := range []string{"/status", "/debug/pprof/", "/"} {
		code, _ = s.do("GET", s.probes.URL+path)
		assert.Equal(t, 404, code, path)
	}
	code, _ = s.do("POST", s.probes.URL+"/readyz")
	assert.Equal(t, 405, code)
}

func TestMetricsKeepTheConventions(t *testing.T) {
	s := show(t, Admin{}, Options{})
	problems, err := testutil.GatherAndLint(s.ops.registry)
	require.NoError(t, err)
	for _, problem := range problems {
		assert.NotContains(t, problem.Metric, "relayconf_", "%s", problem.Text)
	}
}

func TestStatusIsInTheWordsOfTheRelayProxy(t *testing.T) {
	s := show(t, Admin{}, Options{Details: func() any { return map[string]int{"relays": 7} }})
	r := report(autoconfig.StateInterrupted, autoconfig.SourceStream, 502)
	s.report.Store(&r)
	_, body := s.do("GET", s.admin.URL+"/status")
	assert.JSONEq(t, `{"status": "degraded", "version": "1.2.3",
		"autoConfigStatus": {"state": "INTERRUPTED", "stateSince": 1798858985000,
			"lastError": {"kind": "ERROR_RESPONSE", "statusCode": 502, "time": 1798859045000, "message": "it answered so"}},
		"ready": true, "condition": "stale", "source": "STREAM", "lostSince": "2027-01-02T03:03:05Z", "environments": 3, "connections": 0, "hub": {"relays": 7}}`,
		without(t, without(t, body, "reason"), "ageSeconds"))
	r = report(autoconfig.StateValid, autoconfig.SourceStream, 0)
	s.report.Store(&r)
	_, body = s.do("GET", s.admin.URL+"/status")
	assert.Contains(t, body, `"status": "healthy"`)
	assert.NotContains(t, body, "lastError")
}

// without removes a member of a JSON object.
func without(t *testing.T, text, member string) string {
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &object))
	delete(object, member)
	var out bytes.Buffer
	require.NoError(t, json.NewEncoder(&out).Encode(object))
	return out.String()
}

func TestAProcessThatHangsIsNotAlive(t *testing.T) {
	s := show(t, Admin{}, Options{})
	block := make(chan struct{})
	s.block.Store(&block)
	code, body := s.do("GET", s.probes.URL+"/livez")
	assert.Equal(t, 503, code)
	assert.Contains(t, body, "hangs")
	close(block)
	code, _ = s.do("GET", s.probes.URL+"/livez")
	assert.Equal(t, 200, code)
}

func TestProfilingIsThereOnlyIfAskedFor(t *testing.T) {
	code, _ := show(t, Admin{}, Options{}).onAdmin("GET", "/debug/pprof/cmdline")
	assert.Equal(t, 404, code)
	code, _ = show(t, Admin{}, Options{Profiling: true}).onAdmin("GET", "/debug/pprof/cmdline")
	assert.Equal(t, 200, code)
}

func (s *shown) onAdmin(method, path string, headers ...string) (int, string) {
	return s.do(method, s.admin.URL+path, headers...)
}

func TestTheAdminListenerIsForOperators(t *testing.T) {
	const token = "0123456789abcdef"
	own := "http://hub.example:8031"
	for _, row := range []struct {
		name    string
		token   string
		method  string
		path    string
		headers []string
		want    int
	}{
		{"loopback", "", "GET", "/status", nil, 200},
		{"localhost", "", "GET", "/status", []string{"Host", "localhost:8031"}, 200},
		{"IPv6", "", "GET", "/status", []string{"Host", "[::1]:8031"}, 200},
		{"a listed name", "", "GET", "/status", []string{"Host", "Hub.example:8031"}, 200},
		{"a name of somebody else that resolves to this machine", "", "GET", "/status", []string{"Host", "evil.example"}, 421},
		{"no token", token, "GET", "/status", nil, 401},
		{"no token for probes", token, "GET", "/livez", nil, 401},
		{"a wrong token", token, "GET", "/status", []string{"Authorization", "Bearer 0123456789abcdeg"}, 401},
		{"a token without a scheme", token, "GET", "/status", []string{"Authorization", token}, 401},
		{"the token", token, "GET", "/status", []string{"Authorization", "Bearer " + token}, 200},
		{"the token as a password", token, "GET", "/status", []string{"Authorization", "Basic YWRtaW46MDEyMzQ1Njc4OWFiY2RlZg=="}, 200},
		{"a change by a command", "", "POST", "/change", []string{"Content-Type", "application/json"}, 200},
		{"a change by the page", "", "POST", "/change", []string{"Host", "hub.example:8031", "Origin", own, "Content-Type", "application/json; charset=utf-8"}, 200},
		{"a change by another page", "", "POST", "/change", []string{"Host", "hub.example:8031", "Origin", "http://evil.example", "Content-Type", "application/json"}, 403},
		{"a change by a page of another port", "", "POST", "/change", []string{"Host", "hub.example:8031", "Origin", "http://hub.example", "Content-Type", "application/json"}, 403},
		{"a change by a sandboxed page", "", "POST", "/change", []string{"Origin", "null", "Content-Type", "application/json"}, 403},
		{"a change that a browser says is from elsewhere", "", "POST", "/change", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "application/json"}, 403},
		{"a stream for another page", "", "GET", "/status", []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, 403},
		{"an image on another page", "", "GET", "/status", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"a page of a sibling host", "", "GET", "/status", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}, 403},
		{"a stream for the page", "", "GET", "/status", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}, 200},
		{"a link on another page", "", "GET", "/status", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		{"a form that another page sends", "", "POST", "/change", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Content-Type", "application/json"}, 403},
		{"a form", "", "POST", "/change", []string{"Content-Type", "application/x-www-form-urlencoded"}, 403},
		{"another method", "", "DELETE", "/change", []string{"Content-Type", "application/json"}, 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := show(t, Admin{Token: row.token, Hosts: []string{"hub.example"}}, Options{})
			code, body := s.onAdmin(row.method, row.path, row.headers...)
			assert.Equal(t, row.want, code, body)
			assert.NotContains(t, body, token)
		})
	}
}

func TestLoopbackAddresses(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:80": true, "localhost:80": true, "[::1]:80": true, "127.9.9.9:0": true,
		":80": false, "0.0.0.0:80": false, "[::]:80": false, "10.0.0.1:80": false, "hub:80": false, "nonsense": false} {
		assert.Equal(t, want, IsLoopback(address), address)
	}
}

func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for text, want := range map[string]bool{"0123456789abcdef\n": true, "short": false, "0123456789abcdef x": false, "": false,
		strings.Repeat("x", 5000): false} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		token, err := ReadToken(path)
		assert.Equal(t, want, err == nil)
		if want {
			assert.Equal(t, strings.TrimSpace(text), token)
		} else {
			assert.ErrorContains(t, err, "at least 16 plain characters")
		}
	}
	_, err := ReadToken(path + "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
