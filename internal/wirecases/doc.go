// Package wirecases has the conformance cases of both wire formats, HTTP/1.1 and WebSocket frames,
// and plays them: bytes in, what was read out. Only tests import it; the parsers' own tests, the
// tests of the running daemon and the fuzz targets all take the same cases from here.
//
// # HTTP, http/*.txt
//
// A case is a stream of requests and what must become of each:
//
//	== RFC 9112 §6.3 a list of lengths: 400
//	POST / HTTP/1.1
//	Host: x
//	Content-Length: 5, 5
//
//	hello\
//
// Every line stands for itself and a CRLF, unless a backslash ends it; all escapes of Go's strings
// work, and <<64 x>> is 64 times an x. What follows the last colon of the title is the verdict, a
// word a request:
//
//	ok       it is read; ok=hello: with this body, decoded
//	close    behind the last ok: it is read, and the connection ends with its answer
//	101      a WebSocket upgrade that is granted
//	400 ...  refused with this status, after which nothing is read
//	open     it is good so far and not at its end
//
// A stream that is neither refused nor open is followed by one more good request, which must be
// read; one that is refused too, and there it must not be. A word with a "!", as !nginx, names
// another implementation that refuses what is read here, or reads it in another way.
//
// # Frames, frames/*.txt
//
// A case is what a client sends, a line a frame, and what must come out:
//
//	== RFC 6455 §5.4 a ping between two fragments
//	01 "a"
//	89 "p"
//	80 "b"
//	> ping "p"
//	> text "ab"
//
// A frame is its first byte and its payload, which is masked here; "raw" is bytes as they are, and
// "3 * " before a line stands for three of it. Out come text, binary, ping, pong and close with
// their payloads, "error 1002" and the like, and "open" if a message has begun and not ended.
package wirecases
