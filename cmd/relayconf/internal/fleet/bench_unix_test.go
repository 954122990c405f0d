//go:build !windows

package fleet

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/link/agent"
	"github.com/relayconf/relayconf/link/agent/agentpb"
	"github.com/relayconf/relayconf/link/rpc"
)

var (
	benchRelays = flag.Int("relays", 2000, "relays of BenchmarkFleet")
	benchIdle   = flag.Duration("idle", time.Minute, "how long BenchmarkFleet looks at an idle fleet")
)

// BenchmarkFleet has relays on one hub, without agents and with them. The relays are in a process of their own, so memory and
// CPU time are those of the hub.
func BenchmarkFleet(b *testing.B) {
	for _, linked := range []bool{false, true} {
		b.Run(fmt.Sprintf("agents=%v", linked), func(b *testing.B) {
			for b.Loop() {
				measure(b, *benchRelays, linked)
			}
		})
	}
}

func measure(b *testing.B, relays int, linked bool) {
	r := newRig(b)
	r.has(map[string]int{"web-1": 1})
	upToDate := func() (n int) {
		for _, relay := range r.local.Overview().Relays {
			if relay.InSync() || relay.SentAll() {
				n++
			}
		}
		return n
	}
	before, start := memory(), time.Now()
	startRelays(b, r.url, relays, linked)
	require.Eventually(b, func() bool { return upToDate() == relays }, 4*soon, 100*time.Millisecond, "all up to date")
	b.ReportMetric(time.Since(start).Seconds(), "s/connect")

	cpu := cpuTime(b)
	time.Sleep(*benchIdle) // the cost of this period is measured
	b.ReportMetric(100*(cpuTime(b)-cpu).Seconds()/benchIdle.Seconds(), "%core/idle")
	b.ReportMetric(float64(memory()-before)/float64(relays)/1024, "KiB/relay")

	start, cpu = time.Now(), cpuTime(b)
	r.patch("web-1", 2)
	p := r.wait(Condition{AllowUnconfirmed: true, Environment: "web-1", Version: 2}).result()
	require.Equal(b, Applied, p.Result)
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/wait")
	b.ReportMetric(float64((cpuTime(b) - cpu).Milliseconds()), "ms-CPU/wait")
	if linked {
		start, cpu = time.Now(), cpuTime(b)
		results, err := rpc.CallAll[agentpb.VersionInfo](b.Context(), r.local.clients, &agentpb.GetVersionInfoRequest{})
		require.NoError(b, err)
		require.Len(b, results, relays)
		for _, result := range results {
			require.NoError(b, result.Err)
		}
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/CallAll")
		b.ReportMetric(float64((cpuTime(b) - cpu).Milliseconds()), "ms-CPU/CallAll")
	}
}

// cpuTime is the CPU time that this process has used.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// relaysOfBench has the hub's URL in the process of the relays.
const relaysOfBench = "FLEET_BENCH_HUB"

// startRelays starts the process of the relays, which ends with the benchmark.
func startRelays(b *testing.B, url string, relays int, linked bool) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), relaysOfBench+"="+url, "FLEET_BENCH_RELAYS="+strconv.Itoa(relays), "FLEET_BENCH_LINKED="+strconv.FormatBool(linked))
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe() // its end ends the process
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// benchRelaysMain is the process of the relays. It returns false in any other process.
func benchRelaysMain() bool {
	url := os.Getenv(relaysOfBench)
	if url == "" {
		return false
	}
	relays, _ := strconv.Atoi(os.Getenv("FLEET_BENCH_RELAYS"))
	linked := os.Getenv("FLEET_BENCH_LINKED") == "true"
	for i := range relays {
		m := autoconfig.NewStreamManager(testKey, url, autoconfigtest.NewRecorder(), httpconfig.HTTPConfig{}, time.Second,
			ldlog.NewDisabledLoggers(), autoconfig.WithProtocolVersion(2))
		if linked {
			a, err := agent.New(m, url, agent.WithName(fmt.Sprintf("relay-%04d", i)), agent.WithVersion("bench"))
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return true
			}
			a.Start()
		}
		m.Start()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return true
}
