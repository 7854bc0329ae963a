package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/cmd/chskd/demo"
	"github.com/chskd/chskd/engine"
)

func newServeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve clients and backends",
		Long: "serve runs the daemon. Options come from flags, from CHSKD_ variables of the environment,\n" +
			"and from a YAML file, in this order: --max-conns is CHSKD_MAX_CONNS and max_conns.",
		Example: "  chskd serve --demo\n" +
			"  chskd serve --listen 127.0.0.1:9000 --allowed-origins https://example.com\n" +
			"  chskd serve --config /etc/chskd/chskd.yaml",
		Args: cobra.NoArgs,
	}
	options := newOptionFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := options.load("")
		if err != nil {
			return err
		}
		log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level(c)}))
		s, err := newSettings(c, log)
		if err != nil {
			return err
		}
		limitMemory(c, log)
		return serve(cmd.Context(), s, log, os.Stderr)
	}
	return cmd
}

// serve runs the daemon until it is told to stop.
//
//	hub <-- events --- engine <-- pushes --- API server
//	(one queue a consumer)                   (Unix socket)
func serve(ctx context.Context, s *settings, log *slog.Logger, out io.Writer) (err error) {
	if s.config.Demo {
		s.Page = demo.Page
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	a := &adapter{started: time.Now()}
	hub := backend.NewHub(s.hubOptions)
	up := make(chan string, 1)
	s.Ready = func(addr string) { up <- addr }
	if err := s.makeVerifier(); err != nil {
		return err
	}
	e, err := engine.New(s.Options, inbound{hub})
	if err != nil {
		return err
	}
	a.engine, a.verifier = e, s.identity.verifier
	s.stopVerifier = sync.OnceFunc(s.identity.start(e))
	defer s.stopVerifier()
	// The socket first: a daemon that already serves it must be found before anything
	// is bound.
	socket, err := backend.Listen(s.apiSocket)
	if err != nil {
		return err
	}
	defer func() {
		if e := socket.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}()
	s.apiOptions.Metrics = a.metrics(hub, s.Limits.MaxConns, log)
	api := backend.NewServer(a, hub, s.apiOptions)
	if s.config.MetricsListen != "" {
		m, err := listenScrapers(ctx, s.config.MetricsListen, s.apiOptions.Metrics, log)
		if err != nil {
			return err
		}
		defer m.close()
		fmt.Fprintf(out, "metrics on http://%s/metrics\n", m.addr)
	}

	stop := make(chan struct{})
	defer close(stop)
	go e.Clock().Run(stop)
	ended := make(chan error, 1)
	go func() { ended <- e.Run() }()
	var addr string
	select {
	case addr = <-up:
	case err := <-ended:
		if err == nil {
			err = errors.New("the event loops ended before they had begun")
		}
		return err
	}
	a.ready.Store(true)
	fmt.Fprintf(out, "chskd %s listening on http://%s%s, API socket %s, %d loops, packer %s, auth %s\n",
		versionText(), addr, s.Path, s.apiSocket, s.Loops, s.Packer, s.auth)
	for _, text := range s.warnings() {
		log.Warn(text)
	}
	served := make(chan error, 1)
	go func() { served <- api.Serve(socket) }()
	if s.config.Demo {
		fmt.Fprintf(out, "demo: open http://%s/ in two tabs\n", addr)
		demoCtx, stopDemo := context.WithCancel(ctx)
		defer stopDemo()
		s.beforeDown = stopDemo
		go func() {
			if err := demo.Run(demoCtx, s.apiSocket, func(format string, args ...any) {
				log.Warn(fmt.Sprintf(format, args...))
			}); err != nil && !errors.Is(err, context.Canceled) {
				log.Warn("the demo's backend ended", "error", err)
			}
		}()
	}
	select {
	case <-ctx.Done():
	case sig := <-signals:
		log.Info("going down", "signal", sig.String())
	case err := <-ended:
		// gnet has closed every conn: nothing is left to save.
		return fmt.Errorf("the event loops ended by themselves: %w", errOr(err, "no reason given"))
	case err := <-served:
		return fmt.Errorf("the API socket ended by itself: %w", errOr(err, "no reason given"))
	}
	return goDown(e, a, api, s, signals, log)
}

// goDown lets everybody finish: no new conns, readiness off, a close or an answer for
// every client, and the end when none is left, drain-ms is over, or a second signal
// comes.
func goDown(e *engine.Engine, a *adapter, api *backend.Server, s *settings, again <-chan os.Signal,
	log *slog.Logger) error {
	if s.beforeDown != nil {
		s.beforeDown()
	}
	a.ready.Store(false)
	a.draining.Store(true)
	if err := e.StopAccepting(); err != nil {
		log.Warn("new connections are still accepted while going down", "error", err)
	}
	empty := make(chan struct{})
	e.Drain(func() { close(empty) })
	total := time.Duration(s.DrainMs) * time.Millisecond
	// Sends that wait for a backend get their answer a little before the end.
	posts := time.AfterFunc(total*8/10, e.ReplyTimeouts)
	defer posts.Stop()
	limit := time.NewTimer(total * 95 / 100)
	defer limit.Stop()
	select {
	case <-empty:
	case <-limit.C:
		log.Info("some clients did not let go in time; they are cut")
	case <-again:
		log.Info("told twice; clients are cut")
	}
	ctx, cancel := context.WithTimeout(context.Background(), total/20+100*time.Millisecond)
	defer cancel()
	if err := api.Shutdown(ctx); err != nil {
		log.Warn("some backends did not let go in time; they are cut", "error", err)
	}
	s.stopVerifier() // while there are loops to tell
	if err := e.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func errOr(err error, text string) error {
	if err != nil {
		return err
	}
	return errors.New(text)
}
