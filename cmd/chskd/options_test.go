package main

import (
	"io"
	"log/slog"
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
	want := engine.Defaults()
	want.Loops, want.Log, want.Auth = runtime.GOMAXPROCS(0), log, s.Auth
	if _, err := want.Limits.FitToFDs(); err != nil {
		t.Fatal(err)
	}
	got := s.Options
	if got.Packer != packer.Packer(0) && got.Packer.String() != "edn" {
		t.Errorf("packer %v", got.Packer)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
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

// What nothing reads is refused, never ignored: each key is either read or in a list.
func TestOptionsUnwired(t *testing.T) {
	unwired := append(slices.Clone(authUnwired), limitsUnwired...)
	for _, k := range config.Keys() {
		section, _, _ := strings.Cut(k.Path, ".")
		if !slices.Contains(unwired, k.Path) && !slices.Contains(unwired, section) || strings.HasSuffix(k.Path, "_file") {
			continue
		}
		args := []string{"--" + k.Flag() + "=" + k.Example}
		if k.Path == "proxy_protocol" {
			args = append(args, "--trusted-proxies=::1")
		}
		if k.Path == "jwt.algorithms" {
			args = append(args, "--jwt-jwks-url=https://a.example/keys")
		}
		if _, err := newSettings(configured(t, args...), slog.New(slog.DiscardHandler)); err == nil ||
			!strings.Contains(err.Error(), "has no effect in this build: leave it out") {
			t.Errorf("%s: %v", args, err)
		}
	}
}
