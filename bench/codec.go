package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chskd/chskd/packer"
)

// codec stands between a run's messages and the wire. edn and JSON are read and written as they
// are; of the other packers what comes is turned into JSON first and what goes is made from edn, so
// that one scanner and one set of texts do for all. That costs the tool, not the server.
//
// Owner: loop.
type codec struct {
	packer packer.Packer
	read   *syntax // how decode's results are written
	write  *syntax // how encode wants its messages
	plain  bool    // the format itself is read and written

	gzip    packer.Gzip
	in, mid []byte
	out     []byte
}

// newCodec finds the packer by its name in the server's paths: edn, json, transit, msgpack, or one
// of these with gzip- before it.
func newCodec(name string) (*codec, error) {
	p, ok := packer.NamedPacker(name)
	if !ok {
		return nil, fmt.Errorf("bench: --packer %q: one of %s", name,
			strings.Join(packerNames(), ", "))
	}
	c := &codec{packer: p, read: syntaxes["json"], write: syntaxes["edn"]}
	if own := syntaxes[p.Format().String()]; own != nil {
		c.read, c.write, c.plain = own, own, true
	}
	return c, nil
}

func packerNames() (names []string) {
	for p := range packer.Packer(packer.Packers) {
		if _, ok := packer.NamedPacker(p.String()); ok {
			names = append(names, p.String())
		}
	}
	slices.Sort(names)
	return names
}

// decode is a message of the server in the syntax `read`: valid until the next call, or as long as
// b is.
func (c *codec) decode(b []byte) (_ []byte, err error) {
	if c.packer.Gzip() {
		if b, err = c.gzip.Unpack(b, messageLenMax); err != nil {
			return nil, err
		}
	}
	if c.plain {
		return b, nil
	}
	c.in, err = packer.Append(c.in[:0], packer.JSON, b, c.packer.Format(), packer.Options{})
	return c.in, err
}

// encode is a message, given in the syntax `write`, as it travels: valid until the next call, or as
// long as b is.
func (c *codec) encode(b []byte) []byte {
	var err error
	if !c.plain {
		c.mid, err = packer.Append(c.mid[:0], c.packer.Format(), b, packer.EDN, packer.Options{})
		if err != nil {
			panic(fmt.Sprintf("bench: our own message %q: %v", clip(b), err))
		}
		b = c.mid
	}
	if !c.packer.Gzip() {
		return b
	}
	c.out = c.gzip.Pack(c.out[:0], b)
	return c.out
}

// opcode is what the packer's messages travel in (RFC 6455 §5.6).
func (c *codec) opcode() byte {
	if c.packer.Binary() {
		return opBinary
	}
	return opText
}

// api is how events of a run are given to a backend API: the format, and the member that holds an
// event. In edn, JSON and transit clients get the bytes that were pushed.
type api struct {
	format packer.Format
	text   *syntax
	member string // before an event, as in `"event":`
	quoted bool   // the event stands in a string
}

func (c *codec) api() api {
	switch c.packer.Format() {
	case packer.JSON:
		return api{packer.JSON, syntaxes["json"], `"event":`, false}
	case packer.Transit:
		return api{packer.Transit, syntaxes["edn"], `"transit":`, false}
	default:
		return api{packer.EDN, syntaxes["edn"], `"edn":"`, true}
	}
}

// appendEvent appends the numbered event e of size bytes of text, as a member of an order.
func (a *api) appendEvent(dst []byte, e event, size int, scratch *[]byte) ([]byte, error) {
	var err error
	if *scratch, err = a.text.appendEvent((*scratch)[:0], eventID, e, size); err != nil {
		return dst, err
	}
	dst = append(dst, a.member...)
	if a.format == packer.Transit {
		return packer.Append(dst, packer.Transit, *scratch, packer.EDN, packer.Options{Event: true})
	}
	if !a.quoted {
		return append(dst, *scratch...), nil
	}
	for _, c := range *scratch { // our own: it holds no other letter that JSON escapes
		if c == '"' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"'), nil
}
