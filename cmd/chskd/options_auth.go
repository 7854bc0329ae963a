package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/cmd/chskd/config"
)

// authUnwired are the keys of identity that nothing reads yet: a daemon that was told one of them
// does not start, rather than go on without it. A section stands for all its keys.
var authUnwired = []string{"csrf.cookie", "jwt", "hook", "header", "expiry_notice"}

// authOf makes what says who may connect, and who they are.
func (s *settings) authOf(c *config.Config) error {
	if err := refuseUnwired(c, authUnwired); err != nil {
		return err
	}
	modes := c.Auth
	if c.Demo && slices.Equal(modes, []string{"client"}) {
		modes = []string{"dev"}
	}
	s.auth = strings.Join(modes, ", ")
	mode, err := auth.ParseMode(modes[0])
	if err != nil || len(modes) > 1 {
		return fmt.Errorf("%s: this build knows the modes client, anonymous and dev, and one of them "+
			"alone: write one", c.Name("auth"))
	}
	s.RememberUID = mode == auth.Dev
	s.Auth, err = auth.New(auth.Config{Mode: mode, CSRFToken: c.CSRF.Token.Reveal(), Origins: c.AllowedOrigins})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name("allowed_origins"), err)
	}
	return nil
}

// refuseUnwired refuses a value for what nothing reads.
func refuseUnwired(c *config.Config, unwired []string) error {
	for _, k := range config.Keys() {
		section, _, _ := strings.Cut(k.Path, ".")
		if (slices.Contains(unwired, k.Path) || slices.Contains(unwired, section)) && c.Changed(k.Path) {
			return fmt.Errorf("%s has no effect in this build: leave it out", c.Name(k.Path))
		}
	}
	return nil
}
