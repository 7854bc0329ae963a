package packer_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tree is a second reader of msgpack, written for nothing but clarity: it gives each value a text
// that is the same for equal values. It panics at what it cannot read.
type tree struct {
	b    []byte
	i    int
	keys []string
	refs int
}

// canon is the text of the one value in b.
func canon(tb testing.TB, b []byte) string {
	tb.Helper()
	text, _ := canonRefs(tb, b)
	return text
}

// canonRefs tells also how many cached keys were referred to.
func canonRefs(tb testing.TB, b []byte) (text string, refs int) {
	tb.Helper()
	defer func() {
		if x := recover(); x != nil {
			tb.Fatalf("%x is not msgpack: %v", b, x)
		}
	}()
	t := tree{b: b}
	text = t.value()
	if t.i != len(b) {
		tb.Fatalf("%x: %d bytes are left", b, len(b)-t.i)
	}
	return text, t.refs
}

func (t *tree) take(n int) []byte {
	b := t.b[t.i : t.i+n]
	t.i += n
	return b
}

func (t *tree) big(n int) (v uint64) {
	for _, c := range t.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (t *tree) value() string {
	c := t.take(1)[0]
	switch {
	case c < 0x80:
		return fmt.Sprint(c)
	case c < 0x90:
		return t.pairs(int(c & 15))
	case c < 0xa0, c == 0xdc, c == 0xdd:
		return "[" + strings.Join(t.elements(c), " ") + "]"
	case c < 0xc0:
		return fmt.Sprintf("%q", t.take(int(c&31)))
	case c >= 0xe0:
		return fmt.Sprint(int8(c))
	}
	switch c {
	case 0xc0:
		return "nil"
	case 0xc2:
		return "false"
	case 0xc3:
		return "true"
	case 0xc4, 0xc5, 0xc6:
		return "bin " + hex.EncodeToString(t.take(int(t.big(1<<(c-0xc4)))))
	case 0xc7, 0xc8, 0xc9:
		return t.ext(int(t.big(1 << (c - 0xc7))))
	case 0xca:
		return double(float64(math.Float32frombits(uint32(t.big(4)))))
	case 0xcb:
		return double(math.Float64frombits(t.big(8)))
	case 0xcc, 0xcd, 0xce, 0xcf:
		return fmt.Sprint(t.big(1 << (c - 0xcc)))
	case 0xd0, 0xd1, 0xd2, 0xd3:
		n := 1 << (c - 0xd0)
		return fmt.Sprint(int64(t.big(n)<<(64-8*n)) >> (64 - 8*n))
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return t.ext(1 << (c - 0xd4))
	case 0xd9, 0xda, 0xdb:
		return fmt.Sprintf("%q", t.take(int(t.big(1<<(c-0xd9)))))
	case 0xde, 0xdf:
		return t.pairs(int(t.big(2 << (c - 0xde))))
	}
	panic(fmt.Sprintf("byte %x", c))
}

func double(v float64) string {
	if math.IsNaN(v) {
		return "double NaN"
	}
	return fmt.Sprintf("double %x", math.Float64bits(v))
}

// elements are those of the array that begins with c.
func (t *tree) elements(c byte) (vs []string) {
	n := int(c & 15)
	if c >= 0xdc {
		n = int(t.big(2 << (c - 0xdc)))
	}
	for range n {
		vs = append(vs, t.value())
	}
	return vs
}

func (t *tree) pairs(n int) string {
	var ps []string
	for range n {
		ps = append(ps, t.key()+" "+t.value())
	}
	slices.Sort(ps)
	return "{" + strings.Join(ps, ", ") + "}"
}

func (t *tree) key() string {
	if t.b[t.i] == 0xd4 && t.b[t.i+1] == 8 {
		t.refs++
		return t.keys[t.take(3)[2]]
	}
	k := t.value()
	if (k[0] == ':' || k[0] == '"') && len(t.keys) < 256 {
		t.keys = append(t.keys, k)
	}
	return k
}

func (t *tree) ext(n int) string {
	typ := int8(t.take(1)[0])
	if typ == 3 {
		return t.value() + "/" + t.value()
	}
	if typ == 4 {
		end := t.i + n
		vs := t.elements(t.take(1)[0])
		if t.i != end {
			panic("the length of a set is not that of its array")
		}
		slices.Sort(vs)
		return "#{" + strings.Join(vs, " ") + "}"
	}
	b := t.take(n)
	switch typ {
	case 0:
		return ":" + string(b)
	case 1:
		return "'" + string(b)
	case 2:
		return `\` + string(b)
	case 9:
		return "uuid " + strings.ToLower(string(b))
	case -1:
		return fmt.Sprintf("inst %d %d", int64(binary.BigEndian.Uint64(b[4:])), binary.BigEndian.Uint32(b))
	}
	return fmt.Sprintf("ext %d %x", typ, b)
}

func itoa(n int) string { return strconv.Itoa(n) }

// sorted joins texts in order.
func sorted(vs []string, sep string) string {
	vs = slices.Sorted(slices.Values(vs))
	return strings.Join(vs, sep)
}
