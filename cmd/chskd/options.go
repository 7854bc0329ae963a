package main

import (
	"log/slog"
	"runtime"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/cmd/chskd/config"
	"github.com/chskd/chskd/engine"
)

// settings are what the packages take, made of what was configured.
type settings struct {
	engine.Options
	config     *config.Config
	apiSocket  string
	auth       string // the modes, for people
	identity   identity
	hubOptions backend.HubOptions
	apiOptions backend.Options
	beforeDown func() // ends the demo's backend before its socket goes

	stopVerifier func() // ends what finds out who clients are; more than once does no harm
}

// newSettings makes the options of all packages of what was configured. The values are good, as
// config has checked them; errors are of what only their packages know.
//
//	options_auth.go     who may connect, and who they are
//	options_limits.go   what a peer may use, and which addresses may connect
//	options_packers.go  options_api.go
func newSettings(c *config.Config, log *slog.Logger) (*settings, error) {
	s := &settings{Options: engine.Defaults(), config: c, apiSocket: c.APISocket}
	if s.apiSocket == "" {
		s.apiSocket = backend.DefaultSocketPath()
	}
	s.Log = log
	s.Listen, s.ReusePort = c.Listen, c.ReusePort
	s.Path, s.DebugEcho = c.Path, c.DebugEcho
	if s.Loops = c.Loops; s.Loops == 0 {
		s.Loops = runtime.GOMAXPROCS(0)
	}
	if c.HandshakeData != "" {
		s.Handshake = []byte(c.HandshakeData)
	}
	s.times(c)
	s.Packer, s.Packers = packersOf(c)
	s.hubOptions, s.apiOptions = apiOf(c, log)
	if err := s.authOf(c); err != nil {
		return nil, err
	}
	if err := s.limitsOf(c); err != nil {
		return nil, err
	}
	return s, nil
}

// times are what Sente has options for, and what is said about delivery.
func (s *settings) times(c *config.Config) {
	s.WSKaliveMs, s.WSPingTimeoutMs = uint32(c.WSKaliveMs), uint32(c.WSPingTimeoutMs)
	s.LPTimeoutMs = uint32(c.LPTimeoutMs)
	s.SendBufMsWS, s.SendBufMsAjax = uint32(c.SendBufMsWS), uint32(c.SendBufMsAjax)
	s.ReconnectMsWS, s.ReconnectMsAjax = uint32(c.ReconnectMsWS), uint32(c.ReconnectMsAjax)
	s.SessionKeepMs, s.DrainMs = uint32(c.SessionKeepMs), uint32(c.DrainMs)
	s.Redelivery = map[string]engine.Redelivery{"tcp": engine.RedeliveryTCP,
		"pong": engine.RedeliveryPong, "off": engine.RedeliveryOff}[c.Redelivery]
	s.OnGap = map[string]engine.OnGap{"notice": engine.GapNotice, "close": engine.GapClose}[c.OnGap]
}

// level is the log level of a name.
func level(c *config.Config) (l slog.Level) {
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		panic("chskd: a log level that config takes and slog does not: " + c.LogLevel)
	}
	return l
}
