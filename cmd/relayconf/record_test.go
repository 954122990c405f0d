package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

// serve starts a replay and returns its URL.
func serve(t *testing.T, path string, args ...string) (p *process, url string) {
	t.Helper()
	p = start(t, nil, append([]string{"replay", path, "--addr", "127.0.0.1:0"}, args...)...)
	p.says(&p.stdout, "To follow it")
	url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(p.stdout.String())
	require.NotEmpty(t, url)
	return p, url
}

// story is what a watch of a recording tells, up to the patch of the environment that is added after the reconnect.
func story(t *testing.T, url string, wait string) []jsonLine {
	t.Helper()
	p := start(t, service(url), "watch", "--format", "json", "--verbose")
	p.says(&p.stdout, wait)
	var lines []jsonLine
	for _, line := range p.lines() {
		line.Reason = "" // it has the wording of the moment
		lines = append(lines, line)
		if `"`+line.Change+`"` == wait {
			return lines // more may have come already
		}
	}
	return lines
}

// The last that captured.sse has a client do is to reconnect.
const endOfCaptured = `"interrupted"`

func TestWatchOfAReplayTellsTheStoryOfTheRecording(t *testing.T) {
	t.Parallel()
	_, url := serve(t, "../../testdata/captured.sse")
	var got []string
	for _, line := range story(t, url, endOfCaptured) {
		got = append(got, strings.TrimSpace(line.Change+" "+line.Environment.ProjKey+"/"+line.Environment.EnvKey))
	}
	assert.Equal(t, []string{"keepalive /", "added web/production", "added web/staging", "added app/production",
		"received-all /", "keepalive /", "updated web/staging", "added app/test", "keepalive /", "removed web/production",
		"interrupted /"}, got)
}

func TestWhatRecordWroteReplayServes(t *testing.T) {
	t.Parallel()
	_, original := serve(t, "../../testdata/captured.sse")
	path := inFolder(t, "copy.sse")
	recordAll(t, original, path, "--keep-keys")
	_, copied := serve(t, path)
	_, again := serve(t, "../../testdata/captured.sse")
	assert.Equal(t, story(t, again, endOfCaptured), story(t, copied, endOfCaptured))
	assert.Contains(t, string(must(os.ReadFile(path))), "sdk-00000000-0000-4000-8000-0000000000b2")
}

func TestARecordingHasFakesForKeysAndTellsTheSameStory(t *testing.T) {
	t.Parallel()
	_, original := serve(t, "../../testdata/captured.sse")
	path := inFolder(t, "copy.sse")
	recordAll(t, original, path)
	requireOwnerOnly(t, path)
	text := string(must(os.ReadFile(path)))
	keys := regexp.MustCompile(`(sdk|mob|rel)-[0-9a-f-]+`).FindAllString(text, -1)
	require.NotEmpty(t, keys)
	for _, key := range keys {
		assert.Regexp(t, `^(sdk|mob|rel)-fa4e0000-0000-4000-8000-[0-9a-f]{12}$`, key)
	}
	_, copied := serve(t, path)
	_, again := serve(t, "../../testdata/captured.sse")
	assert.Equal(t, withoutKeys(story(t, again, endOfCaptured)), withoutKeys(story(t, copied, endOfCaptured)))
}

// recordAll records until the line drops at the end of captured.sse, and nothing more can come.
func recordAll(t *testing.T, url, path string, args ...string) {
	t.Helper()
	p := start(t, service(url), append([]string{"record", path, "--duration", "10s"}, args...)...)
	p.exit(exitOK)
	assert.Contains(t, p.stderr.String(), "Recorded 6 events and 3 comments")
}

func withoutKeys(lines []jsonLine) []jsonLine {
	for i := range lines {
		lines[i].Environment.SDKKey, lines[i].Key = "", ""
	}
	return lines
}

func TestRecordKeepsPausesAndDrops(t *testing.T) {
	t.Parallel()
	source := write(t, inFolder(t, "source.sse"), `:!recorded 2026-11-20T12:00:00Z
: one
:!pause 3s
event: put
data: {"path":"/","data":{"environments":{}}}

:!pause 3s
:!drop
: two
event: bad
data: not JSON

: password rel-secret
event: last
data: {}

`)
	_, url := serve(t, source)
	path := inFolder(t, "copy.sse")
	p := start(t, service(url), "record", path, "--duration", "1h")
	require.Eventually(t, func() bool { data, _ := os.ReadFile(path); return strings.Contains(string(data), "event: last") }, soon, 5*time.Millisecond)
	text := string(must(os.ReadFile(path)))
	// A pause is shorter where the data before it were read late.
	assert.Regexp(t, `(?s)^:!recorded 20\S+Z\n.*: one\n:!pause [1-9]\d*(\.\d+)?s\nevent: put\n.*\n\n:!pause [1-9]\d*(\.\d+)?s\n:!drop\n.*: two\n`, text)
	assert.NotContains(t, text, "not JSON")
	assert.NotContains(t, text, "secret")
	p.says(&p.stderr, `left out an event "bad", as its data is not JSON`)
	assert.NotContains(t, p.stderr.String(), "secret")
}

func TestRecordReplacesAFileOnlyByForce(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	path := inFolder(t, "a.sse")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("old\n", 10_000)), 0o644))
	start(t, service(server.URL), "record", path, "--duration", "1s").exit(exitUsage)
	assert.Contains(t, string(must(os.ReadFile(path))), "old")

	start(t, service(server.URL), "record", path, "--duration", "5s", "--force").exit(exitOK)
	assert.NotContains(t, string(must(os.ReadFile(path))), "old")
	requireOwnerOnly(t, path)
}

func TestARecordingThatNeverBeganLeavesNoFile(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.RejectKeys(403)
	path := inFolder(t, "a.sse")
	start(t, service(server.URL), "record", path).exit(exitPermanent)
	assert.NoFileExists(t, path)
}

func TestRecordCanWriteToStandardOutput(t *testing.T) {
	t.Parallel()
	server := autoconfigtest.NewServer(t)
	server.Put(autoconfigtest.MakePut(autoconfigtest.MakeEnvironment(1, 1)))
	p := start(t, service(server.URL), "record", "-", "--duration", "5s")
	p.exit(exitOK)
	recording, err := autoconfigtest.ParseRecording(strings.NewReader(p.stdout.String()))
	require.NoError(t, err)
	assert.False(t, recording.Recorded.IsZero())
	assert.Contains(t, p.stdout.String(), "event: put")
}

func TestReplayTakesOnlyItsKey(t *testing.T) {
	t.Parallel()
	p, url := serve(t, "../../testdata/captured.sse", "--key", "rel-fake")
	start(t, service(url), "watch", "--once").exit(exitPermanent)
	start(t, []string{"STREAM_URI=" + url, "AUTO_CONFIG_KEY=rel-fake"}, "watch", "--once").exit(exitOK)
	p.says(&p.stdout, "401 Unauthorized")
	p.says(&p.stdout, "200 OK")
	p.says(&p.stdout, "connection 2 ended after")
}

func TestReplayReadsStandardInputAndKeepsTheLineAlive(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../../testdata/captured.sse")
	require.NoError(t, err)
	defer file.Close()
	p := prepare(t, nil, "replay", "-", "--addr", "127.0.0.1:0", "--keepalive", "20ms", "--speed", "inf")
	p.cmd.Stdin = file
	p.run()
	p.says(&p.stdout, "To follow it")
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(p.stdout.String())
	watcher := start(t, service(url), "watch", "--verbose")
	require.Eventually(t, func() bool { return strings.Count(watcher.stdout.String(), "keepalive") > 10 }, soon, 5*time.Millisecond)
}
