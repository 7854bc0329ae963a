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
// Reading order: error.go (every refusal), head.go (the walk over the bytes),
// scan.go (its kernels), field.go (what single fields mean), target.go and
// host.go, upgrade.go, body.go and chunk.go, params.go and form.go, response.go.
//
// Source: RFC 9112 (messages), RFC 9110 (fields), RFC 3986 (targets),
// RFC 6455 §4.2 (upgrade), the URL standard §5 (forms), the Fetch standard (CORS).
package httpmin
