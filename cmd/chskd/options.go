package main

import (
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/engine"
)

// settings are the options of `chskd serve` as they are written; build checks them and
// turns them into what the packages take.
type settings struct {
	engine.Options
	apiSocket  string
	packers    packerSettings
	api        apiSettings
	auth       string
	origins    []string
	csrfToken  string
	handshake  string
	redelivery string
	onGap      string
	logLevel   string
	insecure   bool
	demo       bool
	maxMessage int
	maxConns   int
	outBytes   int
	// metricsListen is where /metrics is served besides the API socket; "" = nowhere
	metricsListen string

	hubOptions backend.HubOptions
	apiOptions backend.Options
	beforeDown func() // ends the demo's backend before its socket goes
}

func defaultSettings() *settings {
	s := &settings{Options: engine.Defaults(), auth: "client", redelivery: "tcp", onGap: "notice", logLevel: "info"}
	s.Loops = runtime.GOMAXPROCS(0)
	s.maxMessage = s.Limits.MessageBytes
	s.outBytes = s.Limits.OutBytes
	return s
}

// flags names every option once, with its default and a line that says what it does.
// Sente's own options keep Sente's names.
func (s *settings) flags(f *pflag.FlagSet) {
	f.StringVar(&s.Listen, "listen", s.Listen,
		"address to listen on, host:port; port 0 lets the kernel choose")
	f.StringVar(&s.Path, "path", s.Path,
		"path of the channel socket; PATH/NAME chooses a packer")
	f.StringVar(&s.apiSocket, "api-socket",
		"", "Unix socket for backends (default: chskd.sock in $RUNTIME_DIRECTORY, "+
			"$XDG_RUNTIME_DIR, /run/chskd for root or /tmp/chskd-<user id>)")
	f.StringVar(&s.metricsListen, "metrics-listen", "",
		"address that serves /metrics for Prometheus, host:port; whoever reaches it can read it "+
			"(default: only the API socket has them)")
	s.packers.flags(f)
	s.api.flags(f)
	f.StringVar(&s.auth, "auth", s.auth,
		"who a client is: client (uid = client-id), anonymous, or dev (uid = parameter "+
			"uid)")
	f.BoolVar(&s.insecure, "insecure", false,
		"let auth modes client and dev listen on other than loopback addresses")
	f.IntVar(&s.Loops, "loops", s.Loops, "event loops; one per CPU is right")
	f.StringVar(&s.logLevel, "log-level", s.logLevel, "debug, info, warn or error")
	f.BoolVar(&s.demo, "demo", false,
		"serve a chat page at / with a small backend behind it (sets --auth dev)")

	f.Uint32Var(&s.WSKaliveMs, "ws-kalive-ms", s.WSKaliveMs,
		"ping a WebSocket without activity; checked at half of it, as Sente does")
	f.Uint32Var(&s.WSPingTimeoutMs, "ws-ping-timeout-ms", s.WSPingTimeoutMs,
		"close a WebSocket that shows no activity so long after a ping")
	f.Uint32Var(&s.LPTimeoutMs, "lp-timeout-ms", s.LPTimeoutMs,
		"answer a long poll after, and a callback over Ajax; below 60000")
	f.Uint32Var(&s.SendBufMsWS, "send-buf-ms-ws", s.SendBufMsWS,
		"batch pushes over WebSocket for so long; 0 = never wait")
	f.Uint32Var(&s.SendBufMsAjax, "send-buf-ms-ajax", s.SendBufMsAjax,
		"batch pushes over Ajax for so long; 0 = never wait")
	f.Uint32Var(&s.ReconnectMsWS, "ms-allow-reconnect-before-close-ws", s.ReconnectMsWS,
		"a user stays present so long after its last WebSocket closed")
	f.Uint32Var(&s.ReconnectMsAjax, "ms-allow-reconnect-before-close-ajax", s.ReconnectMsAjax,
		"a user stays present so long after its last poll was answered")
	f.StringSliceVar(&s.origins, "allowed-origins", nil,
		"origins that pages may come from: all, or a list as https://example.com "+
			"(default: the same origin, or none)")
	f.StringVar(&s.csrfToken, "csrf-token",
		"", "reference CSRF token that every request must carry (default: no check)")
	f.StringVar(&s.handshake, "handshake-data",
		"", "edn value that every client gets with its handshake")

	f.Uint32Var(&s.SessionKeepMs, "session-keep-ms", s.SessionKeepMs,
		"an absent client gets what it missed if it is back in this time")
	f.StringVar(&s.redelivery, "redelivery", s.redelivery,
		"what counts as delivered over WebSocket: tcp (acknowledged by the peer's "+
			"kernel), pong (by the client; behind proxies), off (handed over)")
	f.StringVar(&s.onGap, "on-gap", s.onGap,
		"a client that missed events because it was away or slow for too long: notice "+
			"([:chskd/gap {:missed n}]), close (with 4410, a poll with 410)")
	f.Uint32Var(&s.DrainMs, "drain-ms", s.DrainMs, "going down takes no longer than this")
	f.IntVar(&s.maxConns, "max-conns", 0,
		"connections served at once; more are held back, then refused (default: by the "+
			"limit of open files)")
	f.IntVar(&s.maxMessage, "max-message-bytes", s.maxMessage,
		"longest message of a client, at most 16777216")
	f.IntVar(&s.outBytes, "max-out-bytes", s.outBytes,
		"unsent bytes of one connection before it is stalled")
	f.StringVar(&s.DebugEcho, "debug-echo",
		"", "path of a WebSocket that echoes, for conformance suites (default: none)")
}

// build checks the settings and completes Options. Errors say what to write instead.
func (s *settings) build(log *slog.Logger) error {
	var err error
	if s.Packer, s.Packers, err = s.packers.build(); err != nil {
		return err
	}
	if s.hubOptions, s.apiOptions, err = s.api.build(log); err != nil {
		return err
	}
	if s.demo && s.Path != "/chsk" {
		return fmt.Errorf("--demo with --path %s: the demo's page uses /chsk; leave --path out", s.Path)
	}
	if s.demo && s.auth == "client" {
		s.auth = "dev"
	}
	if err := s.places(); err != nil {
		return err
	}
	mode, err := auth.ParseMode(s.auth)
	if err != nil {
		return fmt.Errorf("--auth %q: write client, anonymous or dev", s.auth)
	}
	if mode != auth.Anonymous && !s.insecure && !loopback(s.Listen) {
		return fmt.Errorf("--auth %s lets a client be whoever it says, so it listens on loopback only; "+
			"write --listen 127.0.0.1:8080, or --auth anonymous, or add --insecure if the network is trusted", s.auth)
	}
	s.RememberUID = mode == auth.Dev
	if len(s.origins) == 0 {
		s.origins = nil
	}
	if s.Auth, err = auth.New(auth.Config{Mode: mode, CSRFToken: s.csrfToken, Origins: s.origins}); err != nil {
		return fmt.Errorf("--allowed-origins: %w", err)
	}
	switch s.redelivery {
	case "tcp":
		s.Redelivery = engine.RedeliveryTCP
	case "pong":
		s.Redelivery = engine.RedeliveryPong
	case "off":
		s.Redelivery = engine.RedeliveryOff
	default:
		return fmt.Errorf("--redelivery %q: write tcp, pong or off", s.redelivery)
	}
	switch s.onGap {
	case "notice":
		s.OnGap = engine.GapNotice
	case "close":
		s.OnGap = engine.GapClose
	default:
		return fmt.Errorf("--on-gap %q: write notice or close", s.onGap)
	}
	if s.handshake != "" {
		s.Handshake = []byte(s.handshake)
	}
	s.Log = log
	if err := s.times(); err != nil {
		return err
	}
	return s.limits()
}

// places checks the addresses and paths.
func (s *settings) places() error {
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		return fmt.Errorf("--listen %q: write host:port, as 127.0.0.1:8080", s.Listen)
	}
	if m := s.metricsListen; m != "" {
		if _, _, err := net.SplitHostPort(m); err != nil {
			return fmt.Errorf("--metrics-listen %q: write host:port, as 127.0.0.1:9464", m)
		}
	}
	echo := s.DebugEcho
	if echo != "" && (echo[0] != '/' || strings.ContainsAny(echo, "?# ") ||
		strings.HasPrefix(echo+"/", strings.TrimSuffix(s.Path, "/")+"/")) {
		return fmt.Errorf("--debug-echo %q: write a path that begins with / and is not below --path", echo)
	}
	return nil
}

// times checks the settings in milliseconds. The least are what keeps a daemon from
// being busy with nothing, and finds seconds that were meant as milliseconds.
func (s *settings) times() error {
	const minute, day = 60_000, 24 * 60 * 60_000
	for _, o := range [...]struct {
		name            string
		ms, least, most uint32
	}{
		{"ws-kalive-ms", s.WSKaliveMs, 100, day},
		{"ws-ping-timeout-ms", s.WSPingTimeoutMs, 100, day},
		{"lp-timeout-ms", s.LPTimeoutMs, 100, minute - 1}, // stock clients give a poll up after a minute
		{"send-buf-ms-ws", s.SendBufMsWS, 0, minute},
		{"send-buf-ms-ajax", s.SendBufMsAjax, 0, minute},
		{"ms-allow-reconnect-before-close-ws", s.ReconnectMsWS, 0, day},
		{"ms-allow-reconnect-before-close-ajax", s.ReconnectMsAjax, 0, day},
		{"session-keep-ms", s.SessionKeepMs, 0, day},
		{"drain-ms", s.DrainMs, 0, day},
	} {
		if o.ms < o.least || o.ms > o.most {
			return fmt.Errorf("--%s %d: write %d to %d", o.name, o.ms, o.least, o.most)
		}
	}
	return nil
}

// limits checks the numbers that have bounds and fits them to the machine.
func (s *settings) limits() error {
	if s.maxMessage < 1024 || s.maxMessage > 16<<20 {
		return fmt.Errorf("--max-message-bytes %d: write 1024 to 16777216", s.maxMessage)
	}
	if s.outBytes < 4096 {
		return fmt.Errorf("--max-out-bytes %d: write at least 4096", s.outBytes)
	}
	if s.maxConns < 0 {
		return fmt.Errorf("--max-conns %d: write a positive number, or 0 for as many as the limit of open files allows", s.maxConns)
	}
	s.Limits.MessageBytes, s.Limits.OutBytes = s.maxMessage, s.outBytes
	if s.maxConns > 0 {
		s.Limits.MaxConns = s.maxConns
	}
	_, err := s.Limits.FitToFDs()
	return err
}

// loopback says whether a listen address is reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// level is the log level of a name.
func level(name string) (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(strings.ToLower(name))); err != nil {
		return 0, fmt.Errorf("--log-level %q: write debug, info, warn or error", name)
	}
	return l, nil
}
