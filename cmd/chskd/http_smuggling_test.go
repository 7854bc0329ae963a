package main_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// smuggle is a request that two readers could understand in two ways: one of them sees its end,
// and so the request behind it, where the other does not.
type smuggle struct {
	name   string
	first  string
	status int
}

// post0 is the head of a send up to its blank line.
const post0 = "POST /chsk HTTP/1.1\r\nHost: x\r\n" +
	"Content-Type: application/x-www-form-urlencoded\r\n"

const length, chunked = "Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n"

// smuggledHeads are refused by their heads alone.
var smuggledHeads = []smuggle{
	{"RFC 9112 6.1 length and chunked", post0 + length + chunked + "\r\n0\r\n\r\n", 400},
	{"RFC 9112 6.1 chunked and length", post0 + chunked + length + "\r\n0\r\n\r\n", 400},
	{"RFC 9112 6.1 chunked and length 0", post0 + chunked + "Content-Length: 0\r\n\r\n0\r\n\r\n", 400},
	{"RFC 9112 6.3 two lengths", post0 + length + "Content-Length: 5\r\n\r\nabcd", 400},
	{"RFC 9112 6.3 two equal lengths", post0 + length + length + "\r\nabcd", 400},
	{"RFC 9112 6.3 list of lengths", post0 + "Content-Length: 4, 5\r\n\r\nabcd", 400},
	{"RFC 9112 6.2 length with sign", post0 + "Content-Length: +4\r\n\r\nabcd", 400},
	{"RFC 9112 6.2 negative length", post0 + "Content-Length: -4\r\n\r\n", 400},
	{"RFC 9112 6.2 length with spaces", post0 + "Content-Length: 4 0\r\n\r\nabcd", 400},
	{"RFC 9112 6.2 hexadecimal length", post0 + "Content-Length: 0x4\r\n\r\nabcd", 400},
	{"RFC 9112 6.2 empty length", post0 + "Content-Length:\r\n\r\n", 400},
	{"RFC 9112 6.1 chunked in HTTP/1.0", c10(post0) + chunked + "\r\n0\r\n\r\n", 400},
	{"RFC 9112 6.1 coding twice", post0 + chunked + chunked + "\r\n0\r\n\r\n", 400},
	{"RFC 9112 6.3 not last", post0 + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
	{"RFC 9112 6.3 identity", post0 + "Transfer-Encoding: identity\r\n\r\n", 400},
	{"RFC 9112 7 xchunked", post0 + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
	{"RFC 9112 7 chunked in quotes", post0 + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400},
	{"RFC 9112 7 vertical tab", post0 + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400},
	{"RFC 9112 6.1 gzip, chunked", post0 + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
	{"RFC 9112 5.1 space before", post0 + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
	{"RFC 9112 5.1 tab before the colon", post0 + "Content-Length\t: 4\r\n\r\nabcd", 400},
	{"RFC 9112 5.2 folded line", post0 + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
	{"RFC 9112 5.2 folded first line", "POST /chsk HTTP/1.1\r\n Host: x\r\n\r\n", 400},
	{"RFC 9112 2.2 bare LF", strings.ReplaceAll(post0+length+"\r\nabcd", "\r\n", "\n"), 400},
	{"RFC 9112 2.2 one bare LF", post0 + "A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"RFC 9112 2.2 bare LF at the end", post0 + length + "\n", 400},
	{"RFC 9112 2.2 bare CR", post0 + "A: b\rTransfer-Encoding: chunked\r\n\r\n", 400},
	{"RFC 9110 5.5 NUL", post0 + "A: b\x00\r\n\r\n", 400},
	{"RFC 9110 5.5 control character", post0 + "A: b\x01c\r\n\r\n", 400},
	{"RFC 9110 5.1 NUL in a name", post0 + "Content-Length\x00: 4\r\n\r\nabcd", 400},
	{"RFC 9112 5.1 no colon", post0 + "Transfer-Encoding chunked\r\n\r\n", 400},
	{"RFC 9112 5.1 no name", post0 + ": chunked\r\n\r\n", 400},
	{"RFC 9112 3.2 no Host", "POST /chsk HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
	{"RFC 9112 3.2 two Hosts", post0 + "Host: y\r\n\r\n", 400},
	{"RFC 9112 3.2 two equal Hosts", post0 + "Host: x\r\n\r\n", 400},
	{"RFC 9112 3.2 bad Host", "POST /chsk HTTP/1.1\r\nHost: x y\r\n\r\n", 400},
	{"RFC 9112 3.2.2 other Host", "POST http://y/chsk HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 3 two spaces", "POST  /chsk HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 3 space in the target", "POST /chsk x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 3 tab in the request line", "POST\t/chsk HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 2.3 no version", "GET /chsk\r\n\r\n", 400},
	{"RFC 9112 2.3 HTTP/1.10", "POST /chsk HTTP/1.10\r\nHost: x\r\n\r\n", 400},
	{"RFC 9112 3 control character in the target", "POST /chsk\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{
		"RFC 6455 4.2.1 upgrade with a body", strings.Replace(rawUpgrade("/chsk?client-id=c"),
			"\r\n\r\n", "\r\nContent-Length: 4\r\n\r\nabcd", 1), 400,
	},
	{
		"RFC 6455 4.2.1 upgrade by POST",
		strings.Replace(rawUpgrade("/chsk?client-id=c"), "GET", "POST", 1), 400,
	},
}

// smuggledChunks are refused by their bodies.
var smuggledChunks = []smuggle{
	{"RFC 9112 7.1 no size", "\r\n", 400},
	{"RFC 9112 7.1 negative", "-1\r\na\r\n", 400},
	{"RFC 9112 7.1 plus", "+1\r\na\r\n", 400},
	{"RFC 9112 7.1 0x", "0x1\r\na\r\n", 400},
	{"RFC 9112 7.1 underscore", "1_0\r\n", 400},
	{"RFC 9112 7.1 space before", " 1\r\na\r\n", 400},
	{"RFC 9112 7.1 space behind", "1 \r\na\r\n", 400},
	{"RFC 9112 7.1 overflows 64 bits", "10000000000000001\r\na\r\n", 400},
	{"RFC 9112 7.1 bare LF behind the size", "1\na\r\n", 400},
	{"RFC 9112 7.1 bare CR behind the size", "1\ra\r\n", 400},
	{"RFC 9112 7.1.1 bare LF in an extension", "1;a\nb\r\na\r\n", 400},
	{"RFC 9112 7.1.1 NUL in an extension", "1;\x00\r\na\r\n", 400},
	{"RFC 9112 7.1 data longer than its size", "1\r\nab\r\n", 400},
	{"RFC 9112 7.1 data shorter than its size", "3\r\na\r\n", 400},
	{"RFC 9112 7.1 LF behind the data", "1\r\na\n", 400},
	{"RFC 9112 7.1.2 bad trailer", "0\r\nA : b\r\n\r\n", 400},
	{"RFC 9112 7.1.2 request as a trailer", "0\r\nPOST /chsk HTTP/1.1\r\n\r\n", 400},
	{"RFC 9112 7.1.2 bare LF at the end", "0\r\n\n", 400},
}

// TestSmuggling: what can be read in two ways is refused and ends the connection, before anything
// behind it is looked at. Behind every shape come two good sends of an event, and a whole body
// that ends the way of reading in chunks.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := openStream(t, d, false)
	shapes := smuggledHeads
	for _, c := range smuggledChunks {
		shapes = append(shapes, smuggle{c.name, post0 + chunked + "\r\n" + c.first, c.status})
	}
	before := ajaxSend("c", "[[:test/before] nil]")
	t.Run("shapes", func(t *testing.T) {
		for i, c := range shapes {
			behind := ajaxSend("c", fmt.Sprintf("[[:test/smuggled %d] nil]", i))
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				send := before + c.first + behind + "0\r\n\r\n" + behind
				rnd := rand.New(rand.NewPCG(9112, uint64(i)))
				for _, cuts := range [][]int{nil, wsCuts(rnd, len(send)), wsEveryByte(len(send))} {
					playSmuggling(t, d, send, cuts, c.status)
				}
			})
		}
	})
	ask(t, d, ajaxSend("c", "[[:test/last] nil]"))
	for range shapes {
		s.want("event c c ajax [:test/before]", "event c c ajax [:test/before]",
			"event c c ajax [:test/before]")
	}
	s.want("event c c ajax [:test/last]")
}

// playSmuggling expects the answer to the request before, one refusal, and the end.
func playSmuggling(t *testing.T, d *daemon, send string, cuts []int, status int) {
	t.Helper()
	conn := dialRaw(t, d)
	sent := make(chan struct{})
	go func() { defer close(sent); wsSend(conn.tcp, send, cuts) }()
	defer func() { _ = conn.tcp.Close(); <-sent }() // wsSend returns when it is closed
	conn.want(200, ajaxDummy)
	a := conn.answer("POST")
	if a.status != status || a.header.Get("Connection") != "close" || a.body == "" {
		t.Fatalf("%d cuts: answered %d %q %v, want %d and a close", len(cuts), a.status, a.body,
			a.header, status)
	}
	conn.wantEnd()
}
