// Package httpmin reads HTTP/1.1 requests and builds responses: as much of
// RFC 9112 as a server of long polls and WebSocket upgrades needs, and no more.
//
// It is bytes in, values out: no sockets, no clock, no routes, no users, and no
// allocation. Nothing is guessed: what two readers could understand in two
// ways (two lengths, a length and a transfer coding, bare CR or LF, folded
// lines ...) is refused with an *Error, and the conn that carried it must then
// be closed, since nobody knows where the next request begins.
//
// A request is read in two steps, both of which may be shown the input in
// pieces of any size and give the same answer for every way of splitting it:
//
//	var h httpmin.Head
//	n, err := httpmin.ParseHead(in, 16<<10, &h)
//	if err == httpmin.ErrShort {
//		return // come back with in and more behind it
//	}
//	var body httpmin.Body
//	err = body.Reset(&h, 1<<20)
//	out, used, done, err := body.Feed(nil, in[n:])
//
// # Stricter than asked
//
// Where RFC 9112 or RFC 9110 let a server choose, it refuses; nginx, haproxy and net/http take many
// of these, each in its own way. Do not loosen one without a proof that all read it alike:
//
//	§2.2       bare LF as a line end; more than four empty lines before a request
//	§2.3       HTTP/1.2 and above: 505
//	§3.1       methods of neither RFC 9110 nor RFC 5789 (PATCH), and CONNECT: 501, and a close
//	§3.2       an empty Host; one with a comma, a zone or IPvFuture; user information anywhere
//	§3.2.1     in a path what RFC 3986 has not; bytes from 0x80 up, and "#", quotes, "<" and ">"
//	§3.2.2     an absolute target that is not the Host to the letter, port and all
//	§5.2       folded lines, also in trailers
//	§6.1       any Transfer-Encoding but "chunked" alone: with a length, in HTTP/1.0, with empty
//	           list elements or parameters, in two lines
//	§6.3       a Content-Length that is doubled, equal or not, or begins with a zero
//	§7.1       chunk sizes of more than 8 digits, or with white space and no extension behind them
//	§7.1.1     chunk extensions outside of their grammar
//	9110 §5.3  a second line of a field that is no list, as Origin or Cookie
//	9110 §5.5  all control characters but the tab in a value
//	9110 §7.8  a WebSocket upgrade with a body, by another method or in HTTP/1.0, which a server
//	           may ignore
//	9110 §10.1.1 any Expect but 100-continue: 417
//
// Trailers are checked and dropped, whatever they are called. The cases are in internal/wirecases.
//
// Reading order: error.go (every refusal), head.go (the walk over the bytes),
// scan.go (its kernels), field.go (what single fields mean), target.go and
// host.go, upgrade.go, body.go and chunk.go, params.go and form.go, response.go.
//
// Source: RFC 9112 (messages), RFC 9110 (fields), RFC 3986 (targets),
// RFC 6455 §4.2 (upgrade), the URL standard §5 (forms), the Fetch standard (CORS).
package httpmin
