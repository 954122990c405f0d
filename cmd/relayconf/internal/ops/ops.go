package ops

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are the report, the details and the metrics to show.
type Options struct {
	Report     func() Report // any goroutine may call it
	Version    string
	Details    func() any             // shown as "hub" in /status; nil: nothing
	Collectors []prometheus.Collector // more metrics
	Profiling  bool                   // the operators' handler has /debug/pprof/
	Logger     *slog.Logger
}

// Ops makes the handlers of both listeners.
type Ops struct {
	options  Options
	registry *prometheus.Registry
	asking   chan struct{} // holds a token while a report that was asked for is to come
}

// New makes handlers. They listen to nothing yet.
func New(options Options) *Ops {
	return &Ops{options: options, registry: newRegistry(options), asking: make(chan struct{}, 1)}
}

// Probes handles /livez, /readyz and /metrics, for probes and scrapers: nothing that tells of environments or keys.
func (o *Ops) Probes() http.Handler {
	mux := http.NewServeMux()
	o.addProbes(mux)
	return secured(mux)
}

// Sidecar handles /status, too, for a command that has no listener for operators. It tells nothing of keys.
func (o *Ops) Sidecar() http.Handler {
	mux := http.NewServeMux()
	o.addProbes(mux)
	mux.HandleFunc("GET /status", o.status)
	return secured(mux)
}

// Operators handles all there is. More handlers can be added to the mux. Admin guards it.
func (o *Ops) Operators() *http.ServeMux {
	mux := http.NewServeMux()
	o.addProbes(mux)
	mux.HandleFunc("GET /status", o.status)
	if o.options.Profiling {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func (o *Ops) addProbes(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", o.livez)
	mux.HandleFunc("GET /readyz", o.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(o.options.Logger.Handler(), slog.LevelError), MaxRequestsInFlight: 4, Timeout: 10 * time.Second,
	}))
}

// aliveTimeout is far more than a report takes in a process that is not deadlocked.
const aliveTimeout = 5 * time.Second

// Alive returns an error if the process hangs: if it takes more than 5 s to say how it is doing.
func (o *Ops) Alive() error {
	ctx, cancel := context.WithTimeout(context.Background(), aliveTimeout)
	defer cancel()
	select {
	case o.asking <- struct{}{}:
	case <-ctx.Done():
		return errHangs // a report that was asked for before has not come
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.options.Report()
		<-o.asking
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errHangs
	}
}

var errHangs = errors.New("the process hangs: it can't say how it is doing")

func (o *Ops) livez(w http.ResponseWriter, _ *http.Request) {
	if err := o.Alive(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

func (o *Ops) readyz(w http.ResponseWriter, _ *http.Request) {
	readiness := Assess(o.options.Report(), time.Now())
	code := http.StatusOK
	if !readiness.Ready {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, readiness)
}

func (o *Ops) status(w http.ResponseWriter, _ *http.Request) {
	var details any
	if o.options.Details != nil {
		details = o.options.Details()
	}
	writeJSON(w, http.StatusOK, newStatus(o.options.Report(), o.options.Version, details, time.Now()))
}

func writeJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(value) // the client is gone
}

// secured keeps answers out of caches, and browsers from guessing their content types.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
