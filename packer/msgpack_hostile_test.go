package packer_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// reasonOf is why a value is not readable.
func reasonOf(t *testing.T, err error) string {
	t.Helper()
	var d *packer.DecodeError
	if err != nil && !errors.As(err, &d) {
		t.Fatal(err)
	}
	if d == nil {
		return ""
	}
	return d.Reason
}

// A value that is cut off anywhere is refused: every message that was ever captured, at every byte.
func TestMsgpackCutOff(t *testing.T) {
	for _, c := range msgpackMessages(t) {
		var m packer.Message
		if err := packer.Msgpack.ParseMessage(c.Msgpack, &m); err != nil {
			t.Fatal(err)
		}
		value := c.Msgpack[:len(bytes.TrimRight(c.Msgpack, "\x00"))]
		if packer.Msgpack.CheckValue(value) != nil {
			value = c.Msgpack // ends with a zero
		}
		for n := range value {
			if err := packer.Msgpack.CheckValue(value[:n]); reasonOf(t, err) != "unexpected end" {
				t.Errorf("%s, %d of %d bytes: %v", c.Name, n, len(value), err)
			}
			if err := packer.Msgpack.ParseMessage(value[:n], &m); reasonOf(t, err) != "unexpected end" {
				t.Errorf("%s, message of %d of %d bytes: %v", c.Name, n, len(value), err)
			}
		}
	}
}

// What is promised is compared with what is there before anything is done with it: these would take
// memory or time for ever.
func TestMsgpackPromises(t *testing.T) {
	for _, head := range []string{
		"9f", "dcffff", "ddffffffff", "8f", "deffff", "dfffffffff", "bf", "d9ff", "daffff", "dbffffffff",
		"c4ff", "c5ffff", "c6ffffffff", "c7ff00", "c8ffff00", "c9ffffffff00", "c9ffffffff04",
		"d604ddffffffff",
		"c9ffffffff05", "c9ffffffff14", "d80000",
	} {
		set := fmt.Sprintf("c7%02x0491", len(head)/2+1)
		for _, before := range []string{"", "92", "8100", "dd00000001", set} {
			in := unhex(t, before+head)
			if err := packer.Msgpack.CheckValue(in); reasonOf(t, err) != "unexpected end" {
				t.Errorf("%s%s: %v", before, head, err)
			}
			if n := testing.AllocsPerRun(1, func() { _ = packer.Msgpack.CheckValue(in) }); n > 1 {
				t.Errorf("%s%s: %v allocations", before, head, n)
			}
		}
	}
}

// nestings are ways to go one level deeper.
var nestings = map[string]string{
	"array": "\x91", "array16": "\xdc\x00\x01", "array32": "\xdd\x00\x00\x00\x01",
	"map value": "\x81\x01", "map key": "\x81",
}

func TestMsgpackDepth(t *testing.T) {
	for name, open := range nestings {
		for _, n := range []int{packer.DepthMax, packer.DepthMax + 1, 1 << 20} {
			in := []byte(strings.Repeat(open, n) + "\xc0")
			if name == "map key" {
				in = append(in, bytes.Repeat([]byte{0xc0}, n)...)
			}
			checkDepth(t, fmt.Sprint(name, " ", n), in, n <= packer.DepthMax)
		}
	}
	for _, n := range []int{packer.DepthMax, packer.DepthMax + 1} {
		in := "\xc0"
		for range n {
			in = string(setOf(in))
		}
		checkDepth(t, fmt.Sprint("set ", n), []byte(in), n <= packer.DepthMax)
		for _, leaf := range []string{"\xd4\x14\x00", "\xc7\x00\x05"} {
			in := strings.Repeat("\x91", n-1) + leaf
			checkDepth(t, fmt.Sprintf("%x %d", leaf, n), []byte(in), n <= packer.DepthMax)
		}
	}
}

// setOf is a set of one value.
func setOf(value string) []byte {
	n := len(value) + 1
	return append([]byte{0xc9, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 4, 0x91}, value...)
}

func checkDepth(t *testing.T, name string, in []byte, ok bool) {
	t.Helper()
	reason := reasonOf(t, packer.Msgpack.CheckValue(in))
	if ok && reason != "" || !ok && reason != "nested deeper than 512" {
		t.Errorf("%s: %q", name, reason)
	}
	for to := range packer.Count {
		out, err := packer.Append(nil, to, in, packer.Msgpack, packer.Options{})
		if (err == nil) != ok {
			t.Errorf("%s to %v: %v", name, to, err)
		} else if err := to.CheckValue(out); ok && err != nil {
			t.Errorf("%s to %v and back: %v", name, to, err)
		}
	}
}

// map16 is the header of a map of n keys.
func map16(n int) []byte { return []byte{0xde, byte(n >> 8), byte(n)} }

// The 257th key and later ones have no index; those before keep theirs.
func TestMsgpackManyCachedKeys(t *testing.T) {
	for _, n := range []int{47, 48, 49, 255, 256, 257, 300} {
		refs := min(n, 256)
		in := append([]byte{0x92}, map16(n)...)
		var literal, referred []string
		for i := range n {
			in = append(fmt.Appendf(in, "\xd6\x00k%03d", i), 1)
			literal = append(literal, fmt.Sprintf(":k%03d 1", i))
		}
		in = append(in, map16(refs)...)
		for i := range refs {
			in = append(in, 0xd4, 8, byte(i), 2)
			referred = append(referred, fmt.Sprintf(":k%03d 2", i))
		}
		want := "[{" + strings.Join(literal, ", ") + "} {" + strings.Join(referred, ", ") + "}]"
		if got := fromMsgpack(t, in); got != want {
			t.Errorf("%d keys: %.200s, want %.200s", n, got, want)
		}
		// A reference to one more is a reference to nothing; 256 is no index.
		if more := append([]byte{0x92}, in...); n < 256 {
			more = append(more, 0x81, 0xd4, 8, byte(n), 2)
			if reason := reasonOf(t, packer.Msgpack.CheckValue(more)); reason != "reference to nothing" {
				t.Errorf("%d keys: %q", n, reason)
			}
		}
	}
}

// A long key referred to often would be written out as often. What fits the bound is read, and what
// does not is refused, by every way in.
func TestMsgpackReferencesDoNotExplode(t *testing.T) {
	for _, c := range []struct {
		key, refs int
		ok        bool
	}{{10, 60000, true}, {60000, 4, true}, {60000, 60000, false}, {1000, 60000, false}} {
		in := []byte{0x92, 0x81, 0xda, byte(c.key >> 8), byte(c.key)}
		in = append(in, bytes.Repeat([]byte("k"), c.key)...)
		in = append(in, 1, 0xdc, byte(c.refs>>8), byte(c.refs))
		for range c.refs {
			in = append(in, 0x81, 0xd4, 8, 0, 2)
		}
		want := "references grow the value too much"
		if c.ok {
			want = ""
		}
		if reason := reasonOf(t, packer.Msgpack.CheckValue(in)); reason != want {
			t.Errorf("%d times %d: %q", c.refs, c.key, reason)
		}
		for to := range packer.Count {
			out, err := packer.Append(nil, to, in, packer.Msgpack, packer.Options{})
			if reasonOf(t, err) != want || len(out) > 20*len(in)+(1<<20) {
				t.Errorf("%d times %d to %v: %d bytes, %v", c.refs, c.key, to, len(out), err)
			}
		}
		var m packer.Message
		if reason := reasonOf(t, packer.Msgpack.ParseMessage(in, &m)); reason != want {
			t.Errorf("%d times %d, a message: %q", c.refs, c.key, reason)
		}
	}
}

// Headers that grow at every level of a deep value move what is inside them again and again. Beyond a
// bound the value is written with headers that never grow: there are 32 bits of length in them.
func TestMsgpackHeadersDoNotMoveForEver(t *testing.T) {
	wide := map[string]string{"[": "\xdd\x00\x00\x00\x10", "{": "\xdf\x00\x00\x00\x10", "#{": "\xc9"}
	for open, head := range wide {
		in := nest(open, strings.Repeat("x", 1<<16), 400)
		out := toMsgpack(t, in)
		if !strings.HasPrefix(string(out), head) {
			t.Errorf("%s: %.20x", open, out)
		}
		if back := fromMsgpack(t, out); back != in {
			t.Errorf("%s: comes back as %.100s", open, back)
		}
		few := nest(open, "x", 8)
		if out := toMsgpack(t, few); strings.HasPrefix(string(out), head) || fromMsgpack(t, out) != few {
			t.Errorf("%s: %.20x", open, out)
		}
	}
}

// nest puts text into collections of 16, one in the other.
func nest(open, text string, depth int) string {
	var head, tail strings.Builder
	for range depth {
		switch open {
		case "{":
			head.WriteString("{")
			for i := range 15 {
				fmt.Fprintf(&head, "%d 1, ", i)
			}
			head.WriteString("15 ")
			tail.WriteString("}")
		default:
			head.WriteString(open)
			for i := range 15 {
				fmt.Fprintf(&head, "%d ", i)
			}
			tail.WriteString(map[string]string{"[": "]", "#{": "}"}[open])
		}
	}
	return head.String() + `"` + text + `"` + tail.String()
}
