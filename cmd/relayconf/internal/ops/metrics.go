package ops

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/relayconf/relayconf/autoconfig"
)

// statusCollector makes metrics of reports.
type statusCollector struct {
	report  func() Report
	version string
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("relayconf_"+name, help, labels, nil)
}

var (
	buildInfo    = describe("build_info", "Always 1; the label says which version this is.", "version")
	ready        = describe("ready", "1 while there is a configuration in force and the process is not about to end.")
	condition    = describe("condition", "1 for the condition that holds, as in /readyz.", "condition")
	sourceState  = describe("source_state", "1 for the state of the stream or the files that are followed.", "state")
	stateSince   = describe("source_state_since_timestamp_seconds", "When the state of the source changed last.")
	lastActivity = describe("source_last_activity_timestamp_seconds", "When something came from the source last; 0 if never.")
	connections  = describe("source_connections_total", "Connections made to the service.")
	keepAlives   = describe("source_keepalives_total", "Keepalive comments received from the service.")
	environments = describe("environments", "Environments known now.")
	cacheAge     = describe("cache_age_seconds", "How long ago the service confirmed the configuration in force; 0 unless it is from the cache.")
	cacheFails   = describe("cache_failures_total", "Loads and saves of the cache that failed.")
)

func (c statusCollector) Describe(descriptions chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, descriptions)
}

func (c statusCollector) Collect(metrics chan<- prometheus.Metric) {
	r := c.report()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value uint64) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value))
	}
	readiness := Assess(r, time.Now())
	gauge(buildInfo, 1, c.version)
	gauge(ready, one(readiness.Ready))
	for _, other := range conditions {
		gauge(condition, one(readiness.Condition == other), string(other))
	}
	for _, state := range []autoconfig.State{autoconfig.StateInitializing, autoconfig.StateValid,
		autoconfig.StateInterrupted, autoconfig.StateOff} {
		gauge(sourceState, one(r.State == state), string(state))
	}
	gauge(stateSince, unixSeconds(r.StateSince))
	gauge(lastActivity, unixSeconds(r.LastActivity))
	counter(connections, r.Connections)
	counter(keepAlives, r.KeepAlives)
	gauge(environments, float64(r.Environments))
	gauge(cacheAge, r.SnapshotAge.Seconds())
	counter(cacheFails, r.StoreFailures)
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func newRegistry(o Options) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		statusCollector{o.Report, o.Version})
	registry.MustRegister(o.Collectors...)
	return registry
}
