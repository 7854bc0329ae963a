package main

import (
	"fmt"

	"github.com/chskd/chskd/cmd/chskd/config"
)

// limitsUnwired are the keys of limits and addresses that nothing reads yet, see authUnwired.
var limitsUnwired = []string{"trusted_proxies", "proxy_protocol", "allow_addresses", "deny_addresses",
	"max_conns_per_address", "max_handshakes_per_second", "max_handshakes_per_second_per_address",
	"max_events_per_second", "max_event_bytes_per_second", "on_event_limit", "max_fragments"}

// limitsOf makes the limits, and fits them to the machine.
func (s *settings) limitsOf(c *config.Config) error {
	if err := refuseUnwired(c, limitsUnwired); err != nil {
		return err
	}
	l := &s.Limits
	l.HeadBytes, l.MessageBytes, l.OutBytes = int(c.MaxHeadBytes), int(c.MaxMessageBytes), int(c.MaxOutBytes)
	l.SessionsPerUser = c.MaxSessionsPerUser
	l.HeadMs, l.IdleMs = c.HeadTimeout.Ms(), c.IdleTimeout.Ms()
	if c.MaxConns > 0 {
		l.MaxConns = c.MaxConns
	}
	if _, err := l.FitToFDs(); err != nil {
		return fmt.Errorf("%s: %w", c.Name("max_conns"), err)
	}
	return nil
}
