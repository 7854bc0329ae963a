package main_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/internal/wirecases"
)

// These tests play the cases of internal/wirecases over sockets, section by section of RFC 9112,
// RFC 9110 and RFC 6455.
//
//	conformance_http_test.go       against the running daemon, both formats
//	conformance_http_peers_test.go what nginx, haproxy and net/http make of them

// TestHTTPConformance: each request is answered as its verdict says, and one behind a refusal, a
// close or an upgrade is never answered as a request.
func TestHTTPConformance(t *testing.T) {
	d := startDaemon(t, "--debug-echo", "/echo", "--max-message-bytes", strconv.Itoa(wirecases.BodyMax))
	for _, c := range wirecases.HTTPCases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			send := c.In
			switch c.Want[len(c.Want)-1] {
			case "open":
			case "101":
				send += wsClose(1000)
			default:
				send += wirecases.Behind
			}
			for _, cuts := range waysToSend(send) {
				playHTTP(t, d, &c, send, cuts)
			}
			onChannel := strings.Replace(send, "/echo", "/chsk?client-id=c", 1)
			if onChannel != send && !strings.Contains(send, "Origin:") { // the echo has no same origin
				playHTTP(t, d, &c, onChannel, nil)
			}
		})
	}
}

// waysToSend cuts a stream not at all, at random and, if it is short, at every byte.
func waysToSend(send string) [][]int {
	rnd := rand.New(rand.NewPCG(9112, uint64(len(send))))
	ways := [][]int{nil, wsCuts(rnd, len(send))}
	if len(send) <= 400 && !testing.Short() {
		ways = append(ways, wsEveryByte(len(send)))
	}
	return ways
}

// playHTTP sends a stream and half-closes, so that one that waits for more is seen to wait; not
// behind an upgrade, as a WebSocket whose client is gone is over at once.
func playHTTP(t *testing.T, d *daemon, c *wirecases.HTTP, send string, cuts []int) {
	t.Helper()
	conn := dialRaw(t, d)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		wsSend(conn.tcp, send, cuts)
		if c.Want[len(c.Want)-1] != "101" {
			_ = conn.tcp.(*net.TCPConn).CloseWrite() // of one that the server has ended it may fail
		}
	}()
	defer func() { _ = conn.tcp.Close(); <-sent }() // wsSend returns when it is closed
	got, want := answersHTTP(conn, send), wantedHTTP(c)
	if !slices.Equal(got, want) {
		t.Fatalf("%d cuts:\n got %q\nwant %q", len(cuts), got, want)
	}
}

// wantedHTTP words the answers that a case must get. All of its targets are unknown to the daemon,
// but that of upgrades.
func wantedHTTP(c *wirecases.HTTP) (want []string) {
	for _, word := range c.Want {
		switch {
		case word == "close":
			want[len(want)-1] += " close"
		case word == "open":
		case word == "101":
			want = append(want, "101", "close 1000")
		case len(want) == 0 && strings.HasPrefix(c.In, "OPTIONS * "):
			want = append(want, "204")
		case word == "ok" || strings.HasPrefix(word, "ok="):
			want = append(want, "404")
		default:
			want = append(want, word+" close")
		}
	}
	if !c.Ends() {
		want = append(want, "404")
	}
	return append(want, "end")
}

// answersHTTP reads all that comes back, up to the end of the connection.
func answersHTTP(conn *rawConn, send string) (got []string) {
	requests, _ := wirecases.ReadHTTP(send, nil)
	for i := 0; ; {
		method := "GET" // of what cannot be read
		if i < len(requests) {
			method = requests[i].Method
		}
		a, err := conn.read(method)
		if err != nil {
			return append(got, "end")
		}
		if a.status == 100 {
			continue
		}
		i++
		word := strconv.Itoa(a.status)
		if a.header.Get("Date") == "" && a.status != 101 {
			word += " without Date"
		}
		if a.status == 101 {
			line, err := wsRead(conn.in)
			for ; err == nil && strings.HasPrefix(line, "text "); line, err = wsRead(conn.in) {
			}
			got = append(got, word, line)
			if err != nil {
				got = append(got, err.Error())
			}
			continue
		}
		if a.header.Get("Connection") == "close" {
			word += " close"
		}
		got = append(got, word)
	}
}

// TestFrameConformance: what must come out of a stream of frames comes back from the echo; pings
// are answered, failures and closes end the connection.
func TestFrameConformance(t *testing.T) {
	d := startDaemon(t, "--debug-echo", "/echo")
	for _, c := range wirecases.FrameCases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			send, want := c.In, wantedFrames(c.Want)
			if len(want) == 0 || !strings.HasPrefix(want[len(want)-1], "close") {
				if !wholeFrames(send) {
					t.Skip("what is not whole is played by the parser's tests")
				}
				send += wsClose(1000)
				want = append(want, "close 1000")
			}
			for _, cuts := range waysToSend(send) {
				playWS(t, d, wsPlay{send: send, cuts: cuts, want: want})
			}
		})
	}
}

// wholeFrames says whether another frame behind send is read as one: a ping there must come out.
func wholeFrames(send string) bool {
	out := wirecases.ReadFrames(send+wirecases.Frame(0x89, "whole?"), nil, 1<<20)
	return slices.Contains(out, `ping "whole?"`)
}

// wantedFrames words what an echo must send.
func wantedFrames(lines []string) (want []string) {
	for _, line := range lines {
		kind, quoted, _ := strings.Cut(line, " ")
		payload, err := strconv.Unquote(quoted)
		switch kind {
		case "error":
			want = append(want, "close "+quoted)
		case "close":
			if payload == "" {
				want = append(want, "close")
				break
			}
			want = append(want, fmt.Sprint("close ", int(payload[0])<<8|int(payload[1])))
		case "ping":
			want = append(want, "pong "+payload)
		case "text", "binary":
			want = append(want, kind+" "+payload)
		}
		if err != nil && kind != "error" && kind != "open" {
			panic("a payload that is not quoted: " + line)
		}
	}
	return want
}
