package verifier_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/verifier"
	"github.com/chskd/chskd/internal/count"
)

// session is a request with what a browser sends: a session cookie and some others.
func session() *auth.Request {
	q := request("5b0d2f5e-8d1f-4a55-9a44-1f3a8d3f0c11", "session="+strings.Repeat("a1B2", 11)+"; theme=dark; _x=12345")
	q.Origin = []byte("https://app.example.com")
	q.Query = []byte("udt=1700000000000&client-id=5b0d2f5e-8d1f-4a55-9a44-1f3a8d3f0c11&room=1")
	return q
}

func TestRememberedAllocatesNothing(t *testing.T) {
	if raceOn {
		t.Skip("pools drop what they hold under the race detector")
	}
	r := newRig(t, verifier.Config{Hook: &app{ttl: time.Hour}, JWT: new(keys)}).start()
	for _, need := range []auth.Need{hooked, token("alice@1")} {
		q := session()
		r.get(q, need)
		if n := testing.AllocsPerRun(1000, func() {
			if r.v.Verify(q, need, 1, r.ms.Load()) == nil {
				t.Fatal("not remembered")
			}
		}); n != 0 {
			t.Errorf("%v allocs", n)
		}
	}
}

func BenchmarkRemembered(b *testing.B) {
	for _, cookie := range []int{0, 100, 1000} {
		b.Run(fmt.Sprintf("cookie=%d", cookie), func(b *testing.B) {
			told := make(chan struct{}, 1)
			v := verifier.New(verifier.Config{Hook: &app{ttl: 1000 * time.Hour}})
			v.Start(func(uint64, *auth.Grant) { told <- struct{}{} })
			defer v.Stop()
			q := session()
			q.Cookie = []byte(strings.Repeat("c", cookie))
			now := time.Now().UnixMilli()
			v.Verify(q, hooked, 1, now)
			<-told
			for loop := count.Loop(b, 1000); loop.Next(); {
				if v.Verify(q, hooked, 1, now) == nil {
					b.Fatal("not remembered")
				}
			}
		})
	}
}
