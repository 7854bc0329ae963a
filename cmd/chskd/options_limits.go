package main

import (
	"fmt"

	"github.com/chskd/chskd/admit"
	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/cmd/chskd/config"
	"github.com/chskd/chskd/engine"
)

// limitsOf makes the limits and the sets of addresses, and fits them to the machine.
func (s *settings) limitsOf(c *config.Config) error {
	s.Trusted = admit.NewPrefixes(c.TrustedProxies)
	s.Allow, s.Deny = admit.NewPrefixes(c.AllowAddresses), admit.NewPrefixes(c.DenyAddresses)
	s.ProxyProtocol = c.ProxyProtocol

	l := &s.Limits
	l.HeadBytes, l.MessageBytes = int(c.MaxHeadBytes), int(c.MaxMessageBytes)
	l.OutBytes = int(c.MaxOutBytes)
	l.HeadMs, l.IdleMs = c.HeadTimeout.Ms(), c.IdleTimeout.Ms()
	l.SessionsPerUser, l.Frames = c.MaxSessionsPerUser, c.MaxFragments
	l.ConnsPerAddress = c.MaxConnsPerAddress
	l.HandshakesPerSecond = c.MaxHandshakesPerSecond
	l.HandshakesPerAddress = c.MaxHandshakesPerSecondPerAddress
	l.EventsPerSecond, l.EventBytesPerSecond = c.MaxEventsPerSecond, int(c.MaxEventBytesPerSecond)
	l.OnEventLimit = map[string]engine.OnLimit{"drop": engine.LimitDrop,
		"close": engine.LimitClose}[c.OnEventLimit]
	if c.MaxConns > 0 {
		l.MaxConns = c.MaxConns
	}
	return s.share(c)
}

// scrapeConns is how many files those may take who read the metrics.
const scrapeConns = 16

// share divides the files that the process may have open. What is not a client's is kept
// back in full, whether it is used or not: clients that took it would shut backends out
// just when there are most of them. Where there are few files, backends get an eighth.
func (s *settings) share(c *config.Config) error {
	nofile, err := engine.RaiseFDs()
	if err != nil {
		return err
	}
	s.apiOptions.MaxConns = min(backend.MaxConnsDefault, max(nofile/8, 16))
	taken := engine.FDs(s.Loops) + s.apiOptions.MaxConns
	if c.MetricsListen != "" {
		taken += scrapeConns
	}
	if c.Asks("hook") {
		taken += c.Hook.Workers
	}
	asked := s.Limits.MaxConns
	if err := s.Limits.FitToFDs(nofile, taken); err != nil {
		return fmt.Errorf("%s: %w", c.Name("max_conns"), err)
	}
	log := []any{"open_files", nofile, "clients", s.Limits.MaxConns, "held", s.Limits.HeldConns,
		"backends", s.apiOptions.MaxConns, "others", taken - s.apiOptions.MaxConns}
	if s.Limits.MaxConns < asked && (c.MaxConns > 0 || s.apiOptions.MaxConns < backend.MaxConnsDefault) {
		s.Log.Warn("the limit of open files (ulimit -n, LimitNOFILE) leaves fewer places than there "+
			"should be", log...)
	} else {
		s.Log.Debug("places by the limit of open files", log...)
	}
	return nil
}
