package client_test

import (
	"testing"

	"github.com/chskd/chskd/client"
)

// BenchmarkPushAsync is what one client pushes to the daemon, until the last one is answered.
func BenchmarkPushAsync(b *testing.B) {
	d := startDaemon(b)
	c := dial(b, d.api, client.Options{})
	ctx := contextOf(b)
	p := client.Push{UID: "nobody", Event: "bench/n", Data: "some text that is pushed"}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.PushAsync(ctx, p, nil); err != nil {
			b.Fatal(err)
		}
	}
	check(b, c.Flush(ctx))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pushes/s")
}

// BenchmarkPush waits for each answer.
func BenchmarkPush(b *testing.B) {
	d := startDaemon(b)
	c := dial(b, d.api, client.Options{})
	ctx := contextOf(b)
	p := client.Push{UID: "nobody", Event: "bench/n", Data: "some text that is pushed"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Push(ctx, p); err != nil {
			b.Fatal(err)
		}
	}
}
