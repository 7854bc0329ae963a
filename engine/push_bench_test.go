package engine

import (
	"syscall"
	"testing"

	"github.com/chskd/chskd/packer"
)

// BenchmarkPushStream is a stream of pushes as a busy backend's, 100 in each millisecond: to few
// users, who get many a batch, or many in a row to each of many. What is kept of each push until
// it is acknowledged is most of what a push touches, so that the caches matter: this one is
// looked at by time.
func BenchmarkPushStream(b *testing.B) {
	for _, c := range []struct {
		name       string
		users, row int
	}{{"100 users", 100, 1}, {"10000 users, 64 in a row", 10_000, 64}} {
		b.Run(c.name, func(b *testing.B) {
			h := newHotLoop(b)
			text := make([]byte, 128)
			for i := range text {
				text[i] = 'x'
			}
			event := append(append([]byte(`[:bench/n {:text "`), text...), `"}]`...)
			pushes := make([]*Push, c.users)
			for i := range pushes {
				h.connect(b, packer.EDN.Packer(), i)
				pushes[i] = &Push{UIDs: []string{clientName(i)}, Event: event}
			}
			done := func(int, error) {}
			cpu := func() int64 {
				var u syscall.Rusage
				if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
					b.Fatal(err)
				}
				return u.Utime.Nano() + u.Stime.Nano()
			}
			before := cpu()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				h.eng.Push(pushes[n/c.row*7919%c.users], done)
				if n++; n%100 == 0 {
					h.now++
					h.wanted = true
					h.turns()
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(n), "cpu-ns/op")
		})
	}
}
