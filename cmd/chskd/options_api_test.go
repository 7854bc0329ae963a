package main

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/chskd/chskd/backend"
)

func TestAPIOptions(t *testing.T) {
	for _, c := range []struct{ args, errs string }{
		{"", ""},
		{"--backend-on-full=reject --api-allow-uids=7,1000 --api-max-line=2048 --api-stall-ms=5", ""},
		{"--backend-hold-ms=1 --backend-ack-timeout-ms=2 --backend-queue-events=3 --backend-queue-bytes=4096", ""},
		{"--backend-on-full=wait", "write hold, drop or reject"},
		{"--api-max-line=5", "--api-max-line 5: write a number from 1024 to 16777216"},
		{"--api-stall-ms=0", "from 1 to"},
		{"--backend-queue-events=0", "from 1 to"},
		{"--backend-hold-ms=0", "from 1 to"},
		{"--backend-ack-timeout-ms=99999999", "from 1 to"},
		{"--api-allow-uids=4294967295", "id -u"},
	} {
		var s apiSettings
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		s.flags(f)
		if err := f.Parse(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		h, o, err := s.build(slog.New(slog.DiscardHandler))
		if (err == nil) != (c.errs == "") || err != nil && !strings.Contains(err.Error(), c.errs) {
			t.Errorf("%s: %v", c.args, err)
		}
		switch {
		case c.args == "":
			if o.MaxLine != backend.MaxLineDefault || h.HoldMax != backend.HoldMaxDefault || o.AllowUIDs != nil {
				t.Errorf("defaults: %+v %+v", h, o)
			}
		case strings.Contains(c.args, "reject"):
			if h.OnFull != backend.OnFullReject || !slices.Equal(o.AllowUIDs, []uint32{7, 1000}) || o.MaxLine != 2048 ||
				o.Stall != 5*time.Millisecond {
				t.Errorf("%s: %+v %+v", c.args, h, o)
			}
		case strings.Contains(c.args, "hold-ms=1"):
			if h.HoldMax != time.Millisecond || h.AckTimeout != 2*time.Millisecond || h.QueueEvents != 3 || h.QueueBytes != 4096 {
				t.Errorf("%s: %+v", c.args, h)
			}
		}
	}
}
