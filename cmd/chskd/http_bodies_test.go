package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// chunkedPost builds an Ajax send with the body as it is on the wire.
func chunkedPost(target, body string, fields ...string) string {
	return rawRequest("POST", target, append(fields, formType, "Transfer-Encoding: chunked")...) + body
}

// inChunks is a chunked body, in chunks of n bytes (RFC 9112 §7.1).
func inChunks(body string, n int) string {
	var b strings.Builder
	for _, chunk := range wsChunks(body, n) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	return b.String() + "0\r\n\r\n"
}

// TestBodies: bodies by length and in chunks, at once and in pieces, and what comes behind them.
func TestBodies(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	startRig(t, d.API, "edn", answer{"edn", "nil"})
	form := ajaxForm("b", `[[:test/echo "a+b c"] :ajax]`)
	large := ajaxForm("b", `[[:test/echo "`+strings.Repeat("0123456789", 5000)+`"] :ajax]`)
	largeAnswer := `200 ["` + strings.Repeat("0123456789", 5000) + `" nil]`
	hello := rawGet("/chsk?client-id=b&handshake%3F")
	const echo = `200 ["a+b c" nil]`
	for _, c := range []requestCase{
		{"RFC 9112 6.2 by length", rawPost("/chsk", form), []string{echo}},
		{
			"RFC 9112 6.2 two by length", rawPost("/chsk", form) + rawPost("/chsk", form),
			[]string{echo, echo},
		},
		{"RFC 9112 7.1 one chunk", chunkedPost("/chsk", inChunks(form, 1000)), []string{echo}},
		{"RFC 9112 7.1 chunks", chunkedPost("/chsk", inChunks(form, 7)), []string{echo}},
		{"RFC 9112 7.1 chunks of a byte", chunkedPost("/chsk", inChunks(form, 1)), []string{echo}},
		{
			"RFC 9112 7.1.1 extensions, 7.1.2 trailers",
			chunkedPost("/chsk", fmt.Sprintf("%04X;a=\"b\"\r\n%s\r\n0;c\r\nContent-Length: 5\r\n\r\n",
				len(form), form)),
			[]string{echo},
		},
		{
			"RFC 9112 7.1 a request behind chunks", chunkedPost("/chsk", inChunks(form, 20)) + hello,
			[]string{echo, "200 " + helloEDN(`"b"`)},
		},
		{
			"RFC 9112 6.3 no body", rawRequest("POST", "/chsk?"+form) + hello,
			[]string{echo, "200 " + helloEDN(`"b"`)},
		},
		{
			"RFC 9112 6.3 a poll with a body",
			strings.Replace(hello, "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nGET", 1) + hello,
			[]string{"200 " + helloEDN(`"b"`), "200 " + helloEDN(`"b"`)},
		},
		{
			"50 KiB by length", rawPost("/chsk", large) + hello,
			[]string{largeAnswer, "200 " + helloEDN(`"b"`)},
		},
		{
			"50 KiB in chunks", chunkedPost("/chsk", inChunks(large, 4096)) + hello,
			[]string{largeAnswer, "200 " + helloEDN(`"b"`)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			playRequests(t, d, c)
		})
	}
}

// TestBodyLimit: a body of more bytes than a message may have is refused before it comes, or when
// its chunks show it (RFC 9110 §15.5.14).
func TestBodyLimit(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--max-message-bytes", "2048")
	form := ajaxForm("c", `[[:x/y "`)
	form += strings.Repeat("x", 2048-len(form)-len(`"] nil]`)) + `"] nil]`
	const dummy = "200 " + ajaxDummy
	refused := []string{"413 request body too large", "end"}
	head := rawRequest("POST", "/chsk", formType, "Content-Length: %s")
	for _, c := range []requestCase{
		{"as long as may be", rawPost("/chsk", form), []string{dummy}},
		{"as long as may be, in chunks", chunkedPost("/chsk", inChunks(form, 500)), []string{dummy}},
		{"a byte more", rawPost("/chsk", form+" "), refused},
		{"a byte more, in chunks", chunkedPost("/chsk", inChunks(form+" ", 500)), refused},
		{"announced", strings.Replace(head, "%s", "2049", 1), refused},
		{"2^63 announced", strings.Replace(head, "%s", "9223372036854775808", 1), refused},
		{"2^64 announced", strings.Replace(head, "%s", "18446744073709551616", 1), refused},
		{"chunk announced", chunkedPost("/chsk", "801\r\n"), refused},
		{"chunk of 2^32-1 announced", chunkedPost("/chsk", "FFFFFFFF\r\n"), refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			playRequests(t, d, c)
		})
	}
}

// TestExpect: a client that asks before it sends its body is told to go on, or refused (RFC 9110
// §10.1.1).
func TestExpect(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	const expect = "Expect: 100-continue"
	form := ajaxForm("c", "[[:x/y] nil]")
	byLength := rawPost("/chsk", form, expect)
	for _, c := range []struct{ name, head, body string }{
		{"by length", byLength[:len(byLength)-len(form)], form},
		{"in chunks", chunkedPost("/chsk", "", expect), inChunks(form, 5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dialRaw(t, d)
			for range 2 {
				conn.send(c.head)
				if a := conn.answer(http.MethodPost); a.status != http.StatusContinue {
					t.Fatalf("answered %d %q, want 100", a.status, a.body)
				}
				conn.send(c.body)
				conn.want(200, ajaxDummy)
			}
		})
	}
	hello := rawGet("/chsk?client-id=c&handshake%3F", expect)
	for _, c := range []struct {
		name, send string
		status     int
		body       string
	}{
		{"the body is there already", byLength, 200, ajaxDummy},
		{"no body", hello, 200, helloEDN(`"c"`)},
		{
			"too large", rawRequest("POST", "/chsk", formType, expect, "Content-Length: 99999999"),
			413, "request body too large",
		},
		{
			"something else", rawRequest("POST", "/chsk", formType, "Expect: tea", "Content-Length: 1"),
			417, "only 100-continue can be expected",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dialRaw(t, d)
			conn.send(c.send)
			conn.want(c.status, c.body)
		})
	}
	t.Run("HTTP/1.0 is not told", func(t *testing.T) {
		conn := dialRaw(t, d)
		conn.send(strings.Replace(c10(byLength), form, "", 1))
		conn.send(form)
		conn.want(200, ajaxDummy)
	})
}

// c10 makes a request one of HTTP/1.0.
func c10(request string) string { return strings.Replace(request, "HTTP/1.1", "HTTP/1.0", 1) }
