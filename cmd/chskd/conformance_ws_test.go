package main_test

import (
	"bufio"
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// These tests ask a running daemon what the Autobahn suite asks of a WebSocket server, and what it
// does not ask (masks, the shortest length form), section by section of RFC 6455. They build and
// read frames by themselves, so that nothing is shared with the program but the standard.
//
//	conformance_ws_test.go         a case, how it is sent, how answers are read
//	conformance_ws_upgrade_test.go the opening handshake
//	conformance_ws_frames_test.go  framing, control frames, reserved bits and opcodes, fragments
//	conformance_ws_utf8_test.go    UTF-8
//	conformance_ws_close_test.go   close handshake and codes
//	conformance_ws_size_test.go    limits, long and many messages, the channel socket itself

// wsHangs is how long a case may take before it is called hung; nothing depends on it otherwise.
const wsHangs = 2 * time.Minute

// wsCase is one connection to an echo: what is sent after the upgrade, and all that comes back, a
// line a frame ("text Hello", "pong ", "close 1002"). If want does not end in a close line, the
// connection must be alive at the end: a close frame is sent behind send, and answered.
type wsCase struct {
	name string
	send string
	want []string
}

// wsKey is the example key of RFC 6455 §1.3.
const wsKey = "dGhlIHNhbXBsZSBub25jZQ=="

// wsFrame builds a masked frame; first is FIN, RSV and opcode.
func wsFrame(first byte, payload string) string {
	key := []byte{byte(len(payload)) ^ 0x37, first ^ 0x7B, 0x21, byte(len(payload)>>8) ^ 0x3D}
	b := append(wsHeader(first, 0x80, len(payload)), key...)
	start := len(b)
	b = append(b, payload...)
	for i := range len(payload) {
		b[start+i] ^= key[i%4]
	}
	return string(b)
}

// wsHeader is a frame header up to its masking key, the length in its shortest form.
func wsHeader(first, mask byte, n int) []byte {
	switch {
	case n < 126:
		return []byte{first, mask | byte(n)}
	case n < 1<<16:
		return []byte{first, mask | 126, byte(n >> 8), byte(n)}
	default:
		return binary.BigEndian.AppendUint64([]byte{first, mask | 127}, uint64(n))
	}
}

func wsText(payload string) string   { return wsFrame(0x81, payload) }
func wsBinary(payload string) string { return wsFrame(0x82, payload) }
func wsPing(payload string) string   { return wsFrame(0x89, payload) }
func wsPong(payload string) string   { return wsFrame(0x8A, payload) }
func wsClose(code int) string        { return wsFrame(0x88, wsCode(code)) }
func wsCode(code int) string         { return string([]byte{byte(code >> 8), byte(code)}) }

// wsPieces builds a message of several fragments; op is 1 or 2.
func wsPieces(op byte, pieces ...string) string {
	var b strings.Builder
	for i, piece := range pieces {
		first := byte(0)
		if i == 0 {
			first = op
		}
		if i == len(pieces)-1 {
			first |= 0x80
		}
		b.WriteString(wsFrame(first, piece))
	}
	return b.String()
}

// wsOctets builds a text message of one fragment for every byte.
func wsOctets(text string) string {
	var pieces []string
	for i := range len(text) {
		pieces = append(pieces, text[i:i+1])
	}
	return wsPieces(1, pieces...)
}

// runWSCases plays every case whole, byte by byte, and in random pieces.
func runWSCases(t *testing.T, d *daemon, cases []wsCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // a case mostly waits
			send, want := tt.send, tt.want
			if len(want) == 0 || !strings.HasPrefix(want[len(want)-1], "close") {
				send += wsClose(1000)
				want = append(slices.Clone(want), "close 1000")
			}
			playWS(t, d, wsPlay{send: send, want: want})
			if len(send) <= 400 {
				playWS(t, d, wsPlay{send: send, cuts: wsEveryByte(len(send)), want: want})
			}
			rnd := rand.New(rand.NewPCG(6455, uint64(len(send))))
			for range 2 {
				playWS(t, d, wsPlay{send: send, cuts: wsCuts(rnd, len(send)), want: want})
			}
		})
	}
}

func wsEveryByte(n int) (cuts []int) {
	for i := 1; i < n; i++ {
		cuts = append(cuts, i)
	}
	return cuts
}

// wsCuts returns up to eight increasing offsets.
func wsCuts(rnd *rand.Rand, n int) []int {
	var cuts []int
	for range 8 {
		cuts = append(cuts, rnd.IntN(n+1))
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// wsPlay is one connection.
type wsPlay struct {
	target string // "" = /echo
	send   string
	cuts   []int  // where send is cut into pieces
	then   string // sent when the first frame has come back
	want   []string
}

// playWS upgrades, sends, and compares all that comes back until the server has ended the TCP
// connection.
func playWS(t *testing.T, d *daemon, p wsPlay) {
	t.Helper()
	conn, in := wsDial(t, d, cmp.Or(p.target, "/echo"))
	defer conn.Close()
	answered, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		wsSend(conn, p.send, p.cuts)
		if p.then != "" {
			<-answered
			wsSend(conn, p.then, nil)
		}
	}()
	var got []string
	line, err := wsRead(in)
	close(answered)
	for ; err == nil; line, err = wsRead(in) {
		got = append(got, line)
	}
	conn.Close()
	<-written
	if !slices.Equal(got, p.want) {
		t.Fatalf("%d cuts: got %q, then %v\nwant %q", len(p.cuts), wsBrief(got), err, wsBrief(p.want))
	}
	if !wsEnded(err, got) {
		t.Fatalf("%d cuts: after %q: %v", len(p.cuts), wsBrief(got), err)
	}
}

// wsEnded reports whether a connection may end like this: with the server's FIN after a close
// frame, or with a reset after it, if the server had not read all (RFC 6455 §7.1.1).
func wsEnded(err error, got []string) bool {
	closed := len(got) > 0 && strings.HasPrefix(got[len(got)-1], "close")
	return closed && (err == io.EOF || errors.Is(err, syscall.ECONNRESET))
}

// wsSend writes send in pieces. Short pauses let the server see them one by one; a failed write is
// a server that has ended the connection, which is seen by what was read.
func wsSend(conn net.Conn, send string, cuts []int) {
	pauseEvery := len(cuts)/20 + 1
	at := 0
	for i, end := range append(slices.Clone(cuts), len(send)) {
		if _, err := io.WriteString(conn, send[at:end]); err != nil {
			return
		}
		at = end
		if i%pauseEvery == 0 {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// wsDial upgrades a new connection and checks the server's answer (RFC 6455 §4.2.2).
func wsDial(t *testing.T, d *daemon, target string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(wsHangs)) // only fails on a closed conn, which Write shows
	request := "GET " + target + " HTTP/1.1\r\nHost: " + d.Addr + "\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Key: " + wsKey + "\r\nSec-WebSocket-Version: 13\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReaderSize(conn, 64<<10)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols ||
		!strings.EqualFold(answer.Header.Get("Upgrade"), "websocket") ||
		!strings.EqualFold(answer.Header.Get("Connection"), "upgrade") ||
		answer.Header.Get("Sec-WebSocket-Accept") != wsAccept(wsKey) ||
		answer.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Fatalf("4.2.2 answer to the upgrade: %s, %v", answer.Status, answer.Header)
	}
	return conn, in
}

// wsAccept computes Sec-WebSocket-Accept (RFC 6455 §4.2.2).
func wsAccept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// wsRead reads one frame as strictly as a client may and describes it. A server's frames here are
// whole and unmasked, and their lengths are in the shortest form.
func wsRead(in *bufio.Reader) (string, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(in, head); err != nil {
		return "", err
	}
	if head[0]&0xF0 != 0x80 || head[1]&0x80 != 0 {
		return "", fmt.Errorf("frame begins with % x", head)
	}
	n := int(head[1])
	if n > 125 {
		more := make([]byte, map[int]int{126: 2, 127: 8}[n])
		if _, err := io.ReadFull(in, more); err != nil {
			return "", noEOF(err)
		}
		n = int(binary.BigEndian.Uint64(append(make([]byte, 8-len(more)), more...)))
		if n < 126 || n < 1<<16 && len(more) == 8 || n > 1<<27 {
			return "", fmt.Errorf("%d bytes announced as % x", n, more)
		}
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(in, payload); err != nil {
		return "", noEOF(err)
	}
	return wsLine(head[0]&15, payload)
}

// wsLine describes a server's frame; the reason of a close frame is checked and left out.
func wsLine(op byte, payload []byte) (string, error) {
	line := func(name string) string { return name + " " + string(payload) }
	switch {
	case op == 1 && utf8.Valid(payload):
		return line("text"), nil
	case op == 2:
		return line("binary"), nil
	case op == 9 && len(payload) < 126:
		return line("ping"), nil
	case op == 10 && len(payload) < 126:
		return line("pong"), nil
	case op == 8 && len(payload) == 0:
		return "close", nil
	case op == 8 && len(payload) > 1 && len(payload) < 126 && utf8.Valid(payload[2:]):
		return fmt.Sprintf("close %d", binary.BigEndian.Uint16(payload)), nil
	}
	return "", fmt.Errorf("opcode %d with % x", op, payload[:min(len(payload), 130)])
}

// wsBrief shortens lines for people.
func wsBrief(lines []string) (brief []string) {
	for i, line := range lines {
		if i == 10 {
			return append(brief, fmt.Sprintf("and %d more", len(lines)-i))
		}
		if len(line) > 60 {
			line = fmt.Sprintf("%s...(%d)", line[:50], len(line))
		}
		brief = append(brief, line)
	}
	return brief
}
