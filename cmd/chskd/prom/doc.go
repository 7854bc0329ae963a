// Package prom tells Prometheus what the daemon counts: it reads the counters of the loops and
// the hub's when it is asked, and adds them up.
//
// Nothing is labelled by what a client or backend chooses, as a uid, client-id, topic, tenant or
// group: the number of series is fixed. Every series is there from the start, at 0. Names end
// in their unit, in seconds or bytes, and in _total when they only grow.
//
// families.go and its neighbours are the list; docs/metrics.md has it as a table, which
// `go test ./cmd/chskd/prom -update` writes.
//
//	http.Handle("/metrics", prom.Handler(prom.Source{...}, log))
//
// Any goroutine.
package prom
