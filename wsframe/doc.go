// Package wsframe reads and writes WebSocket frames (RFC 6455 §5) as plain bytes.
//
// It knows the frame header, masking, UTF-8 and close codes, and nothing of connections, sockets,
// the opening handshake or what a message says. Nothing here blocks, allocates on the common path,
// reads a clock or starts a goroutine.
//
// # Files
//
//	header.go   Opcode, Header: ParseHeader, AppendHeader, AppendClientHeader
//	mask.go     Mask: the XOR of §5.3, in place
//	utf8.go     UTF8: a validator that takes text in pieces and fails at the first wrong byte
//	close.go    close payloads and codes: ParseClose, AppendClose, ValidCode
//	reader.go   Reader: the frames of one connection in, messages and control frames out
//	errors.go   Error and the table of what a peer can do wrong, each with its close code
//
// # Reading
//
// A Reader is 16 bytes without pointers, so that a million of them can live in a slab and cost the
// garbage collector nothing. Its caller (Owner: loop) shows it what has arrived and drops what it
// consumed:
//
//	var res wsframe.Result
//	for {
//		n, err := r.Next(b, &asm, maxLen, &res)
//		b = b[n:]
//		if err != nil { // send wsframe.AppendClose(nil, code, reason), then close
//		}
//		if res.Kind == wsframe.None {
//			if n == 0 {
//				break // keep b (at most PendingMax bytes) until more arrives
//			}
//			continue
//		}
//		// use res.Payload before the next call; if res.Assembled, asm = asm[:0] after that
//	}
//
// A message that arrives whole in one frame is unmasked where it lies and returned from there. Only
// what arrives in pieces is copied, into a buffer that the caller gives and takes back.
package wsframe
