package prom_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/auth/verifier"
	"github.com/chskd/chskd/cmd/chskd/prom"
)

// scrapedVerifier is an answer with these numbers, nil for none.
func scrapedVerifier(t *testing.T, v *verifier.Stats) string {
	t.Helper()
	source := new(rig).source()
	if v != nil {
		source.Verifier = func() verifier.Stats { return *v }
	}
	w := httptest.NewRecorder()
	prom.Handler(source, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	var ours []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "chskd_") {
			ours = append(ours, line)
		}
	}
	return "\n" + strings.Join(ours, "")
}

// TestEveryVerifierNumberIsTold: whichever changes, the answer changes.
func TestEveryVerifierNumberIsTold(t *testing.T) {
	none, zero := scrapedVerifier(t, nil), scrapedVerifier(t, new(verifier.Stats))
	if none != zero {
		t.Error("without a verifier there are other series than with one that has done nothing")
	}
	tried := 0
	var s verifier.Stats
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(name+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		case reflect.Array:
			for i := range v.Len() {
				if strings.HasSuffix(name, ".Unasked") && i == 0 {
					continue // no reason
				}
				walk(fmt.Sprintf("%s[%d]", name, i), v.Index(i))
			}
			return
		case reflect.Int, reflect.Int64:
			v.SetInt(int64(3 * time.Second))
		case reflect.Uint64:
			v.SetUint(3)
		case reflect.Bool:
			v.SetBool(true)
		default:
			t.Fatalf("%s is a %v", name, v.Kind())
		}
		tried++
		if scrapedVerifier(t, &s) == zero {
			t.Errorf("%s has no metric", name)
		}
		v.SetZero()
	}
	walk("stats", reflect.ValueOf(&s).Elem())
	if tried < 60 {
		t.Errorf("only %d numbers were tried", tried)
	}
}

func TestVerifierValues(t *testing.T) {
	var s verifier.Stats
	s.BreakerOpen = true
	h := &s.Ways[verifier.Hook]
	h.Checks[verifier.Refused], h.Unasked[verifier.Late], h.Waiting = 5, 6, 7
	h.Times.Buckets[0], h.Times.Buckets[5], h.Times.Buckets[17], h.Times.Sum = 1, 2, 4, 90*time.Second
	got := scrapedVerifier(t, &s)
	for _, want := range []string{
		`chskd_hook_breaker_open 1`, `chskd_identity_checks_total{by="hook",result="refused"} 5`,
		`chskd_identity_checks_total{by="jwt",result="refused"} 0`,
		`chskd_identity_unchecked_total{by="hook",reason="late"} 6`, `chskd_identity_waiting{by="hook"} 7`,
		`chskd_identity_check_seconds_bucket{by="hook",le="6.4e-05"} 1`,
		`chskd_identity_check_seconds_bucket{by="hook",le="0.001024"} 1`,
		`chskd_identity_check_seconds_bucket{by="hook",le="0.002048"} 3`,
		`chskd_identity_check_seconds_bucket{by="hook",le="4.194304"} 3`,
		`chskd_identity_check_seconds_bucket{by="hook",le="+Inf"} 7`,
		`chskd_identity_check_seconds_sum{by="hook"} 90`, `chskd_identity_check_seconds_count{by="jwt"} 0`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
}
