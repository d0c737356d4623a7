package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is a set of numbers. It is safe for concurrent use.
type Metrics struct {
	all      *prometheus.Registry
	inFlight *prometheus.GaugeVec
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	received *prometheus.HistogramVec
	sent     *prometheus.HistogramVec
	actions  *prometheus.HistogramVec
}

// New makes a set, with those of the Go runtime and of the process.
func New() *Metrics {
	const namespace, http = "registry", "http"
	sizes := prometheus.ExponentialBuckets(1024, 2, 22) // to 2 GiB, as distribution has them
	histogram := func(subsystem, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: name, Help: help, Buckets: buckets,
		}, labels)
	}
	m := &Metrics{
		all: prometheus.NewRegistry(),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: http, Name: "in_flight_requests", Help: "The in-flight HTTP requests.",
		}, []string{"handler"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: http, Name: "requests_total", Help: "Total number of HTTP requests made.",
		}, []string{"handler", "code", "method"}),
		duration: histogram(http, "request_duration_seconds", "The HTTP request latencies in seconds.",
			[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 60}, "handler", "method"),
		received: histogram(http, "request_size_bytes", "The HTTP request sizes in bytes.", sizes, "handler"),
		sent:     histogram(http, "response_size_bytes", "The HTTP response sizes in bytes.", sizes, "handler"),
		actions: histogram("storage", "action_seconds", "The number of seconds that the storage action takes",
			prometheus.DefBuckets, "driver", "action"),
	}
	m.all.MustRegister(m.inFlight, m.requests, m.duration, m.received, m.sent, m.actions,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the numbers in the format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.all, promhttp.HandlerOpts{Registry: m.all})
}
