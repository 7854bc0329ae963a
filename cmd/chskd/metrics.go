package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/cmd/chskd/prom"
	"github.com/chskd/chskd/engine"
	"github.com/chskd/chskd/mailbox"
)

// scrapeWait bounds how long a scrape waits for the loops: a scraper's own patience is 10 s.
const scrapeWait = 2 * time.Second

// metrics are the daemon's numbers, for whoever asks at /metrics.
func (a *adapter) metrics(hub *backend.Hub, maxConns int, log *slog.Logger) http.Handler {
	source := prom.Source{
		Version: versionText(), MaxConns: maxConns, Loops: a.engine.Blocks(),
		Ask: a.ask, Waiting: a.engine.Waiting, Hub: hub.Stats, Ready: a.ready.Load,
	}
	if a.verifier != nil {
		source.Verifier = a.verifier.Stats
	}
	return prom.Handler(source, log)
}

// ask asks the loops for what only they know.
func (a *adapter) ask() (*engine.Numbers, []uint64, bool) {
	numbers, lags := mailbox.NewReply[*engine.Numbers](), mailbox.NewReply[[]uint64]()
	began := time.Now()
	a.engine.Stats(numbers.Put)
	a.engine.Lags(lags.Put)
	n, err := numbers.Wait(scrapeWait)
	if err != nil {
		return nil, nil, false
	}
	l, err := lags.Wait(scrapeWait - time.Since(began))
	return n, l, err == nil
}

// The listener for scrapers: few and short connections, so that whoever reaches it cannot take the
// file descriptors that clients need.
const (
	scrapersMax     = 16
	scrapeHeadWait  = 5 * time.Second
	scrapeWriteWait = 20 * time.Second
	scrapeIdleWait  = 2 * time.Minute
	scrapeHeadBytes = 8 << 10
)

// scrapers is a server of /metrics at an address of its own.
type scrapers struct {
	addr   string
	log    *slog.Logger
	server *http.Server
	ended  chan struct{}
}

// listenScrapers begins to serve at addr.
func listenScrapers(ctx context.Context, addr string, metrics http.Handler, log *slog.Logger,
) (*scrapers, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	s := &scrapers{addr: l.Addr().String(), log: log, ended: make(chan struct{}), server: &http.Server{
		Handler: mux, ReadHeaderTimeout: scrapeHeadWait, ReadTimeout: scrapeHeadWait,
		WriteTimeout: scrapeWriteWait, IdleTimeout: scrapeIdleWait, MaxHeaderBytes: scrapeHeadBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	go func() {
		defer close(s.ended)
		// It serves beside everything else: its end must not be the daemon's.
		if err := s.server.Serve(newFew(l, scrapersMax)); err != http.ErrServerClosed {
			log.Error("metrics are served no longer", "address", s.addr, "error", err)
		}
	}()
	return s, nil
}

// close ends it at once.
func (s *scrapers) close() {
	if err := s.server.Close(); err != nil {
		s.log.Debug("closing the metrics' listener", "error", err)
	}
	<-s.ended
}

// few is a listener with so many connections at once; others wait in the kernel.
type few struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newFew(l net.Listener, n int) *few {
	return &few{Listener: l, places: make(chan struct{}, n), closed: make(chan struct{})}
}

// Accept waits for a place and a connection.
func (f *few) Accept() (net.Conn, error) {
	select {
	case f.places <- struct{}{}:
	case <-f.closed:
		return nil, net.ErrClosed
	}
	c, err := f.Listener.Accept()
	if err != nil {
		<-f.places
		return nil, err
	}
	return &placed{Conn: c, leave: sync.OnceFunc(func() { <-f.places })}, nil
}

// Close ends also an Accept that waits for a place.
func (f *few) Close() error {
	f.once.Do(func() { close(f.closed) })
	return f.Listener.Close()
}

// placed is a connection that has a place.
type placed struct {
	net.Conn
	leave func()
}

// Close gives the place back.
func (p *placed) Close() error {
	err := p.Conn.Close()
	p.leave()
	return err
}
