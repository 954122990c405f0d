//go:build !windows

package main

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig/autoconfigtest"
)

// BenchmarkMemoryOfTheOutputFile compares the memory of watch with and without an output file, for 100,000 environments.
// It is run by hand: go test -run '^$' -bench Memory ./cmd/relayconf
func BenchmarkMemoryOfTheOutputFile(b *testing.B) {
	server := autoconfigtest.NewServer(b)
	server.Put(autoconfigtest.MakePut(manyEnvironments(100_000)...))
	var with, without []float64
	for b.Loop() {
		without = append(without, peakMegabytes(b, server.URL))
		with = append(with, peakMegabytes(b, server.URL, "--output-file", filepath.Join(b.TempDir(), "envs.json")))
	}
	b.ReportMetric(0, "ns/op") // the time is of no interest
	b.ReportMetric(mean(without), "MB-without")
	b.ReportMetric(mean(with), "MB-with")
	b.ReportMetric(mean(with)/mean(without), "ratio")
}

// peakMegabytes returns the largest resident memory of a watch that ends with the first full configuration.
func peakMegabytes(b *testing.B, url string, args ...string) float64 {
	p := preparedCommand(append(service(url), "LOG_LEVEL=error"), append([]string{"watch", "--once"}, args...)...)
	p.Stderr = os.Stderr
	require.NoError(b, p.Run())
	largest := float64(p.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" {
		return largest / 1e6 // bytes
	}
	return largest * 1024 / 1e6
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
