package engine

import (
	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

// What packers have to do with conns: how a client chooses one, and what travels how.
//
//	packerOf           the packer of a request
//	posted             the message that an Ajax send carries
//	parse              a message of a client, unwrapped and split
//	wrap, packed       a message for a client, to write here or to post
//	opcode, mediaType  what messages of a packer travel as

// packerOf is the packer of a request: a path below the channel's names one, so does the parameter
// `packer`, else it is the server's. ok is false when there is no such packer, or it is not
// allowed.
func (l *loop) packerOf(path []byte, p *params) (chosen packer.Packer, ok bool) {
	name := p.packer
	if len(path) > len(l.opts.Path) {
		name = path[len(l.eng.pages):]
	}
	if name == nil {
		return l.opts.Packer, true
	}
	chosen, ok = packer.NamedPacker(string(name))
	return chosen, ok && l.opts.Packers.Has(chosen)
}

// refusePacker answers a request whose packer there is not.
func (l *loop) refusePacker(slot uint32, c *conn, q *request) {
	l.respondText(slot, c, q, 400, l.eng.packers)
}

// posted finds the packed message of an Ajax send in packer p: in the parameter ppstr, or, for a
// binary packer, in the body. A non-empty reason says what is wrong with the request.
func posted(p packer.Packer, h *httpmin.Head, ppstr, body []byte) (packed []byte, reason string) {
	switch {
	case p.Binary() == h.Octets():
		if p.Binary() {
			return body, ""
		}
		return ppstr, ""
	case p.Binary():
		return nil, "The packer " + p.String() + " sends bytes: the message is the body, as " +
			httpmin.TypeOctets + ", and all parameters are in the query"
	default:
		return nil, "The packer " + p.String() + " sends text: the message is the parameter ppstr " +
			"of a form; a client that packs to bytes names its packer in the path or the query"
	}
}

// parse splits a packed message of a client into l.split, which is valid until parsed is called.
// Errors: packer.ErrTooLarge, which is counted, and packer.ErrUndecodable.
func (l *loop) parse(p packer.Packer, packed []byte) error {
	if p.Gzip() {
		inner, err := l.gzip.Unpack(packed, l.opts.Limits.MessageBytes)
		if err == packer.ErrTooLarge {
			l.m.Bombs.Add(1)
		}
		if err != nil {
			l.gzip.Trim()
			return err
		}
		packed = inner
	}
	return p.Format().ParseMessage(packed, &l.split)
}

// parsed ends the use of l.split, and gives back what a long message took.
func (l *loop) parsed(n int) {
	l.gzip.Trim()
	if n > keepSplit {
		l.split = packer.Message{}
	}
}

// keepSplit is the length of a message from which on the scratch of l.split is not kept.
const keepSplit = 16 << 10

// wrap is the message msg as p packs it: itself, or in the loop's scratch, valid until the next
// call.
func (l *loop) wrap(p packer.Packer, msg []byte) []byte {
	if !p.Gzip() {
		return msg
	}
	l.wrapped = l.gzip.Pack(l.wrapped[:0], msg)
	return l.wrapped
}

// packed is the message msg as p packs it, as a buffer to post.
func (l *loop) packed(p packer.Packer, msg []byte) *bufpool.Buf {
	b := bufpool.Get(len(msg) + 1)
	if p.Gzip() {
		b.B = l.gzip.Pack(b.B, msg)
	} else {
		b.B = append(b.B, msg...)
	}
	return b.Seal()
}

// literal is packed for a message that never varies.
func (l *loop) literal(p packer.Packer, lit packer.Literal) *bufpool.Buf {
	return l.packed(p, p.Format().Literal(lit))
}

// sendMessage writes a chsk message as a frame in c's packer.
func (l *loop) sendMessage(slot uint32, c *conn, msg []byte) bool {
	p := packer.Packer(c.packer)
	ok := l.sendFrame(slot, c, opcode(p), l.wrap(p, msg))
	if cap(l.wrapped) > keepScratch {
		l.wrapped = nil
	}
	return ok
}

// opcode is that of a packer's messages (RFC 6455 §5.6).
func opcode(p packer.Packer) wsframe.Opcode {
	if p.Binary() {
		return wsframe.Binary
	}
	return wsframe.Text
}

// mediaType is the Content-Type of a packer's messages.
func mediaType(p packer.Packer) string {
	if p.Binary() {
		return httpmin.TypeOctets
	}
	return httpmin.TypeText
}
