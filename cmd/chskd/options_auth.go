package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
	"github.com/chskd/chskd/auth/jwt"
	"github.com/chskd/chskd/auth/verifier"
	"github.com/chskd/chskd/cmd/chskd/config"
	"github.com/chskd/chskd/engine"
)

// identity is what finds out who clients are where that takes time. Each may be nil.
type identity struct {
	tokens    *jwt.Config
	hook      *hook.Config
	revokeFor time.Duration
	workers   int
	queue     int

	keys     *jwt.Keys
	verifier *verifier.Verifier
}

// authOf makes what says who may connect, and who they are. Nothing is begun.
func (s *settings) authOf(c *config.Config) error {
	names := c.Auth
	if c.Demo && slices.Equal(names, []string{"client"}) {
		names = []string{"dev"}
	}
	s.auth = strings.Join(names, ", ")
	a := auth.Config{CSRFToken: c.CSRF.Token.Reveal(), CSRFCookie: c.CSRF.Cookie, Origins: c.AllowedOrigins,
		LocalHosts: c.LocalOnly(), UserField: c.Header.UID, TenantField: c.Header.Tenant}
	for _, name := range names {
		mode, err := auth.ParseMode(name)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name("auth"), err)
		}
		s.RememberUID = s.RememberUID || mode == auth.Dev
		a.Modes = append(a.Modes, mode)
	}
	for _, place := range c.JWT.From {
		a.From = append(a.From, place.String())
	}
	var err error
	if s.Auth, err = auth.New(a); err != nil {
		return err
	}
	s.ExpiryNoticeMs = c.ExpiryNotice.Ms()
	return s.identityOf(c)
}

// identityOf makes the settings of what finds out who clients are, and checks them.
func (s *settings) identityOf(c *config.Config) error {
	id := &s.identity
	id.revokeFor, id.workers, id.queue = time.Duration(c.JWT.RevokeFor), c.Hook.Workers, c.Hook.Queue
	if c.Asks("jwt") {
		id.tokens = tokensOf(&c.JWT)
		id.tokens.Log = s.Log
		if err := jwt.Check(*id.tokens); err != nil {
			return err
		}
	}
	if c.Asks("hook") {
		id.hook = &hook.Config{URL: c.Hook.URL.String(), Timeout: time.Duration(c.Hook.Timeout), Conns: c.Hook.Workers,
			Secret: c.Hook.Secret.Reveal(), Cache: time.Duration(c.Hook.Cache), Log: s.Log}
		if _, err := hook.New(*id.hook); err != nil {
			return err
		}
		// The verifier gives up first: what it says is better than what the loops could.
		s.Limits.VerifyMs = max(s.Limits.VerifyMs, c.Hook.Timeout.Ms()+waitInQueue.Ms()+1000)
	}
	return nil
}

// waitInQueue is how long a question waits for its turn before it is answered 503.
const waitInQueue = config.Duration(5 * time.Second)

// tokensOf is the section jwt for the package that checks tokens.
func tokensOf(c *config.JWT) *jwt.Config {
	return &jwt.Config{Secret: []byte(c.Secret.Reveal()), KeysFile: c.KeysFile, JWKSURL: c.JWKSURL,
		JWKSRefresh: time.Duration(c.JWKSRefresh), Algorithms: c.Algorithms, Issuer: c.Issuer, Audience: c.Audience,
		Leeway: time.Duration(c.Leeway), UIDClaim: c.UIDClaim, TenantClaim: c.TenantClaim, TopicsClaim: c.TopicsClaim,
		HandshakeClaim: c.HandshakeClaim, CSRFClaim: c.CSRFClaim}
}

// makeVerifier makes the engine's Verifier, if a mode needs one, and begins to fetch keys.
func (s *settings) makeVerifier() error {
	id := &s.identity
	if id.tokens == nil && id.hook == nil {
		return nil
	}
	v := verifier.Config{Workers: id.workers, Queue: id.queue, Wait: time.Duration(waitInQueue),
		RevokeFor: id.revokeFor, Log: s.Log}
	if id.hook != nil {
		client, err := hook.New(*id.hook)
		if err != nil {
			return err
		}
		v.Hook = client
	}
	if id.tokens != nil {
		var err error
		if id.keys, err = jwt.New(*id.tokens); err != nil {
			return err
		}
		v.JWT = id.keys
	}
	id.verifier = verifier.New(v)
	s.Verifier = id.verifier
	return nil
}

// start begins to find out who clients are, and returns what ends it. The loops must not ask
// before that.
func (id *identity) start(e *engine.Engine) (stop func()) {
	if id.verifier == nil {
		return func() {}
	}
	id.verifier.Start(e.Verified)
	return func() {
		id.verifier.Stop()
		if id.keys != nil {
			id.keys.Stop()
		}
	}
}

// warnings are what is open, a sentence each.
func (s *settings) warnings() []string {
	out := s.config.Warnings()
	if s.identity.keys != nil {
		out = append(out, s.identity.keys.Open()...)
	}
	return out
}
