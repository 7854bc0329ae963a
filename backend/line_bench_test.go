package backend_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

// nullEngine takes every push at once, as far as the API can tell.
type nullEngine struct{ backend.Engine }

func (nullEngine) Push(_ *backend.Push, done func(int, error)) { done(1, nil) }

func (nullEngine) Connected(_ backend.Query, done func(*backend.Connected)) {
	done(&backend.Connected{})
}

func (nullEngine) Reply(_ *backend.Reply, done func(error)) { done(nil) }

func (nullEngine) Flush() {}

func (nullEngine) Ready() bool { return true }

func benchServer(b *testing.B) (dial func() net.Conn) {
	b.Helper()
	path := socketPath(b)
	l, err := backend.Listen(path)
	if err != nil {
		b.Fatal(err)
	}
	server := backend.NewServer(nullEngine{}, backend.NewHub(backend.HubOptions{}), backend.Options{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	b.Cleanup(func() {
		ctx, cancel := contextOf(patience)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), <-served); err != nil {
			b.Error(err)
		}
	})
	return func() net.Conn {
		c, err := net.Dial("unix", path)
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
}

// benchLines are 1000 pushes, each with what extra gives.
func benchLines(op string, extra func(i int) string) []byte {
	var out bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&out, `{%s"uid":"user-%d","event":["chat/message",{"text":"hi","n":%d}]%s}`+"\n",
			op, i, i, extra(i))
	}
	return out.Bytes()
}

// spent is what the process has used so far.
type spent struct {
	mem runtime.MemStats
	cpu time.Duration
}

func spentNow(b *testing.B) (s spent) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	s.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	runtime.ReadMemStats(&s.mem)
	return s
}

// perPush reports what n pushes cost, client and server together; CPU is what a loaded machine
// does not change much.
func perPush(b *testing.B, pushes int, before spent) {
	after, n := spentNow(b), float64(pushes)
	b.ReportMetric(n/b.Elapsed().Seconds(), "pushes/s")
	b.ReportMetric(float64((after.cpu-before.cpu).Nanoseconds())/n, "cpu-ns/push")
	b.ReportMetric(float64(after.mem.Mallocs-before.mem.Mallocs)/n, "allocs/push")
	b.ReportMetric(float64(after.mem.TotalAlloc-before.mem.TotalAlloc)/n, "B/push")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLinePushes is the line dialect over a Unix socket: the client's writes and reads are in
// the figures too.
func BenchmarkLinePushes(b *testing.B) {
	for name, extra := range map[string]func(int) string{
		"no-ref": func(int) string { return "" },
		"ref":    func(i int) string { return fmt.Sprintf(`,"ref":%d`, i) },
		"count":  func(i int) string { return fmt.Sprintf(`,"ref":"r%d","count":true`, i) },
	} {
		b.Run(name, func(b *testing.B) {
			conn := benchServer(b)()
			defer conn.Close()
			lines := benchLines(`"op":"push",`, extra)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				r := bufio.NewReaderSize(conn, 64<<10)
				for {
					line, err := r.ReadSlice('\n')
					if err != nil || bytes.Contains(line, []byte(`"ref":"end"`)) {
						return
					}
					if bytes.Contains(line, []byte(`"error"`)) {
						b.Errorf("%s", line)
					}
				}
			}()
			before := spentNow(b)
			b.ResetTimer()
			n := 0
			for b.Loop() {
				if _, err := conn.Write(lines); err != nil {
					b.Fatal(err)
				}
				n += 1000
			}
			fmt.Fprintln(conn, `{"op":"ping","ref":"end"}`)
			<-ended
			perPush(b, n, before)
		})
	}
}

// BenchmarkNDJSONPushes is one POST that goes on and on.
func BenchmarkNDJSONPushes(b *testing.B) {
	dial := benchServer(b)
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return dial(), nil },
	}}
	defer client.CloseIdleConnections()
	body, in := io.Pipe()
	answer := make(chan string, 1)
	go func() {
		resp, err := client.Post("http://chskd/v1/push", "application/x-ndjson", body)
		if err != nil {
			answer <- err.Error()
			return
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		answer <- string(text)
	}()
	lines := benchLines("", func(int) string { return "" })
	before := spentNow(b)
	b.ResetTimer()
	n := 0
	for b.Loop() {
		if _, err := in.Write(lines); err != nil {
			b.Fatal(err)
		}
		n += 1000
	}
	in.Close()
	if got := <-answer; !strings.HasPrefix(got, fmt.Sprintf(`{"accepted":%d,"rejected":0`, n)) {
		b.Errorf("got %s", got)
	}
	perPush(b, n, before)
}
