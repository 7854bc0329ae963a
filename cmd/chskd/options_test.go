package main

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/cmd/chskd/config"
	"github.com/chskd/chskd/engine"
	"github.com/chskd/chskd/packer"
)

// configured reads flags.
func configured(t *testing.T, args ...string) *config.Config {
	t.Helper()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	flags := config.NewFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Sources{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The defaults of the config are those of the packages.
func TestOptionsDefaults(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	s, err := newSettings(config.Default(), log)
	if err != nil {
		t.Fatal(err)
	}
	// What the machine or the wiring decides is not compared.
	got, want := s.Options, engine.Defaults()
	limits, wanted := got.Limits, want.Limits
	limits.MaxConns, limits.HeldConns = wanted.MaxConns, wanted.HeldConns
	if limits != wanted {
		t.Errorf("%+v\nwant %+v", limits, wanted)
	}
	type plain struct {
		Listen, Path, DebugEcho       string
		Packer                        packer.Packer
		Packers                       packer.Set
		RememberUID                   bool
		Handshake                     []byte
		Kalive, Ping, Poll, WS, Ajax  uint32
		AwayWS, AwayAjax, Keep, Drain uint32
		Redelivery                    engine.Redelivery
		OnGap                         engine.OnGap
	}
	take := func(o engine.Options) plain {
		return plain{o.Listen, o.Path, o.DebugEcho, o.Packer, o.Packers, o.RememberUID, o.Handshake,
			o.WSKaliveMs, o.WSPingTimeoutMs, o.LPTimeoutMs, o.SendBufMsWS, o.SendBufMsAjax,
			o.ReconnectMsWS, o.ReconnectMsAjax, o.SessionKeepMs, o.DrainMs, o.Redelivery, o.OnGap}
	}
	if !reflect.DeepEqual(take(got), take(want)) {
		t.Errorf("%+v\nwant %+v", take(got), take(want))
	}
	if got.Loops != runtime.GOMAXPROCS(0) || got.Auth == nil || got.Log != log {
		t.Errorf("%d loops, %v", got.Loops, got.Auth)
	}
	h, o := s.hubOptions, s.apiOptions
	if o.MaxLine != backend.MaxLineDefault || o.Stall != backend.StallDefault || o.AllowUIDs != nil ||
		h.OnFull != backend.OnFullHold || h.QueueEvents != backend.QueueEventsDefault ||
		h.QueueBytes != backend.QueueBytesDefault || h.HoldMax != backend.HoldMaxDefault ||
		h.AckTimeout != backend.AckTimeoutDefault {
		t.Errorf("%+v %+v", h, o)
	}
	if s.apiSocket != backend.DefaultSocketPath() || s.auth != "client" {
		t.Errorf("%s %s", s.apiSocket, s.auth)
	}
}

func TestOptionsOfAPI(t *testing.T) {
	h, o := apiOf(configured(t, "--backend-on-full=reject", "--api-allow-uids=7,1000", "--api-max-line=2048",
		"--api-stall-ms=5", "--backend-hold-ms=1", "--backend-ack-timeout-ms=2s", "--backend-queue-events=3",
		"--backend-queue-bytes=4KiB"), nil)
	if h.OnFull != backend.OnFullReject || !slices.Equal(o.AllowUIDs, []uint32{7, 1000}) || o.MaxLine != 2048 ||
		o.Stall != 5*time.Millisecond || h.HoldMax != time.Millisecond || h.AckTimeout != 2*time.Second ||
		h.QueueEvents != 3 || h.QueueBytes != 4096 {
		t.Errorf("%+v %+v", h, o)
	}
}

func TestOptionsOfPackers(t *testing.T) {
	for _, c := range []struct{ args, chosen, allowed string }{
		{"", "edn", packer.AllPackers.String()},
		{"--allowed-packers=all", "edn", packer.AllPackers.String()},
		{"--packer=transit --allowed-packers=transit,edn", "transit", "edn, transit"},
	} {
		chosen, allowed := packersOf(configured(t, strings.Fields(c.args)...))
		if chosen.String() != c.chosen || allowed.String() != c.allowed {
			t.Errorf("%s: %v of %v", c.args, chosen, allowed)
		}
	}
}

// What nothing reads is refused, never ignored: every key is named in this package, or a daemon that
// was told it does not start.
func TestOptionsAreRead(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(path, "_test.go") {
			source.Write(text)
		}
	}
	needs := map[string]string{"proxy_protocol": "--trusted-proxies=::1",
		"jwt.algorithms": "--jwt-jwks-url=https://a.example/keys",
		"jwt.keys_file":  "--jwt-keys-file=options.go"} // one that is there
	for _, k := range config.Keys() {
		field := k.Field()[strings.LastIndexByte("."+k.Field(), '.'):]
		if strings.HasSuffix(k.Path, "secret_file") || strings.HasSuffix(k.Path, "token_file") ||
			k.Path == "insecure" || strings.Contains(source.String(), "."+field) {
			continue // config itself reads the files of secrets, and checks what insecure allows
		}
		args := []string{"--" + k.Flag() + "=" + k.Example}
		if more := needs[k.Path]; more != "" {
			args = append(args, more)
		}
		if _, err := newSettings(configured(t, args...), slog.New(slog.DiscardHandler)); err == nil ||
			!strings.Contains(err.Error(), "has no effect in this build: leave it out") {
			t.Errorf("%s: %v", args, err)
		}
	}
}
