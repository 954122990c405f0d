package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/ops"
	"github.com/relayconf/relayconf/hub"
)

// hubStatus is the member "hub" of /status. Fields may be added, and none changes its meaning.
type hubStatus struct {
	Source      hub.SourceKind `json:"source"` // NONE, STORE, STREAM or FILE
	SourceTime  time.Time      `json:"sourceTime"`
	Draining    bool           `json:"draining"`
	Filters     int            `json:"filters"`
	Relays      int            `json:"relays"`      // connected now
	Connections int            `json:"connections"` // of relays, with those that send no request
	Streams     uint64         `json:"streams"`     // begun so far
	Resumed     uint64         `json:"resumed"`     // of these, resumed ones
}

func (s *server) details() any {
	status := s.hub.Status()
	open, _ := s.relays.Connections()
	return hubStatus{status.Source.Kind, status.Source.Time.UTC(), status.Draining, status.Filters, status.Relays, open,
		status.Counters.Streams, status.Counters.Resumed}
}

func (s *server) report() ops.Report {
	return ops.Report{Status: (*s.source.Load()).Status(), Files: s.options.environments != "", Draining: s.draining.Load()}
}

// newDelivery makes the histogram of the time that an event takes through the hub.
func newDelivery() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "relayconf_hub_delivery_seconds",
		Help:    "Time from the arrival of a change to the end of its write to a relay.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 2, 18), // 0.1 ms to 13 s
	})
}

// hubCollector makes metrics of the hub's status.
type hubCollector struct{ server *server }

func describeHub(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("relayconf_hub_"+name, help, labels, nil)
}

var (
	hubRelays      = describeHub("relays", "Relays connected now.")
	hubFilters     = describeHub("filters", "Filters known now.")
	hubConnections = describeHub("connections", "Connections of relays, with those that send no request.")
	hubEvicted     = describeHub("connections_evicted_total", "Connections refused, or closed without a request, at the limit.")
	hubStreams     = describeHub("streams_total", "Streams begun.", "kind")
	hubPuts        = describeHub("puts_total", "Full configurations begun.")
	hubEvents      = describeHub("events_total", "Patches and deletes written.")
	hubKeepalives  = describeHub("keepalives_total", "Keepalive comments written.")
	hubBytes       = describeHub("sent_bytes_total", "Bytes written to relays, as they go over the wire, without HTTP's own.")
	hubRefused     = describeHub("refused_total", "Requests of relays that were refused.", "reason")
	hubEnded       = describeHub("streams_ended_total", "Streams that the hub ended.", "reason")
)

func describeFleet(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("relayconf_fleet_"+name, help, nil, nil)
}

var (
	fleetReachable = describeFleet("redis_up", "Whether the fleet's Redis has answered the latest time that it was asked.")
	fleetHubs      = describeFleet("other_hubs", "Other hubs of the fleet that have been heard of lately.")
	fleetMissing   = describeFleet("missing_hubs", "Other hubs of the fleet that have not been heard of lately and are expected back.")
	fleetIgnored   = describeFleet("ignored_records_total", "Records in the fleet's Redis that were ignored: forged, replayed or damaged.")
)

func (c hubCollector) Describe(descriptions chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, descriptions)
}

func (c hubCollector) Collect(metrics chan<- prometheus.Metric) {
	status := c.server.hub.Status()
	open, evicted := c.server.relays.Connections()
	gauge := func(d *prometheus.Desc, value int) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value))
	}
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	n := status.Counters
	gauge(hubRelays, status.Relays)
	gauge(hubFilters, status.Filters)
	gauge(hubConnections, open)
	counter(hubEvicted, evicted)
	counter(hubStreams, n.Streams-n.Resumed, "new")
	counter(hubStreams, n.Resumed, "resumed")
	counter(hubPuts, n.Puts)
	counter(hubEvents, n.Events)
	counter(hubKeepalives, n.Keepalives)
	counter(hubBytes, n.Bytes)
	counter(hubRefused, n.RefusedKeys, "unknown-key")
	counter(hubRefused, n.RefusedUnknownKeys, "unknown-key-grace")
	counter(hubRefused, n.RefusedNoConfig, "no-configuration")
	counter(hubRefused, n.RefusedAdmission, "admission")
	counter(hubRefused, n.RefusedDraining, "draining")
	counter(hubEnded, n.DroppedSlow, "slow")
	counter(hubEnded, n.Revoked, "revoked")
	if c.server.shared == nil {
		return
	}
	fleet, up := c.server.shared.Stats(), 0
	if fleet.Reachable {
		up = 1
	}
	gauge(fleetReachable, up)
	gauge(fleetHubs, fleet.Hubs)
	gauge(fleetMissing, fleet.Missing)
	counter(fleetIgnored, fleet.Ignored)
}
