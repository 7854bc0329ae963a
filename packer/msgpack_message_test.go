package packer_test

import (
	"errors"
	"testing"

	"github.com/chskd/chskd/packer"
)

// Messages in msgpack, each compared with the same in edn; the sections are PROTOCOL's.
func TestMsgpackParseMessage(t *testing.T) {
	const ab = "c70300612f62"
	for _, c := range []struct{ name, in, edn string }{
		{"event, no reply wanted", "92 92" + ab + "01 c0", "[[:a/b 1] nil]"},
		{"event with callback", "92 92" + ab + "01 a6613162326333", `[[:a/b 1] "a1b2c3"]`},
		{"event without data", "92 91" + ab + "c0", "[[:a/b] nil]"},
		{"callback of anything", "92 91" + ab + "81d4007801", "[[:a/b] {:x 1}]"},
		{"callback keyword", "92 91" + ab + "d6 00 616a6178", "[[:a/b] :ajax]"},
		{"callback zero", "92 91" + ab + "00", "[[:a/b] 0]"},
		{"callback false", "92 91" + ab + "c2", "[[:a/b] false]"},
		{"no second element", "91 91" + ab, "[[:a/b]]"},
		{"further elements", "94 91" + ab + "01 c0 c0", "[[:a/b] 1 nil nil]"},
		{"long headers", "dc0002 dd00000001 c8000300612f62 d90178", `[[:a/b] "x"]`},
		{"ext32 id", "92 91 c90000000300612f62 c0", "[[:a/b] nil]"},
		{"padding", "92 91" + ab + "c0 00000000", "[[:a/b] nil]"},
		{"anything behind", "92 91" + ab + "c0 c1ff", "[[:a/b] nil]"},
		{"ping", "92 91c70c006368736b2f77732d70696e67 a1 78", `[[:chsk/ws-ping] "x"]`},
		{"ping with data", "92 92c70c006368736b2f77732d70696e67c0 a178", `[[:chsk/ws-ping nil] "x"]`},
		{"pong", "92 91c70c006368736b2f77732d706f6e67 c0", `[[:chsk/ws-pong] nil]`},
		{"no namespace", "92 91d40061 01", "[[:a] 1]"},
		{"id a slash", "92 91d4002f 01", "[[:/] 1]"},
		{"id a string", "92 91a3612f62 01", `[["a/b"] 1]`},
		{"id a symbol", "92 91c70301612f62 01", `[[a/b] 1]`},
		{"id that is no keyword in edn", "92 91c70400612f2062 01", `[[":a/ b"] 1]`},
		{"three elements", "92 93" + ab + "01 02 c0", "[[:a/b 1 2] nil]"},
		{"empty event", "92 90 01", "[[] 1]"},
		{"event nil", "92 c0 01", "[nil 1]"},
		{"event a map", "92 8101c0 01", "[{1 nil} 1]"},
		{"nil", "c0", "nil"}, {"empty", "90", "[]"},
		{"string", "a36a7573", `"jus"`}, {"string of one", "d9016a", `"j"`}, {"empty string", "a0", `""`},
		{"string beyond U+FFFF", "a4f09f9880", `"😀"`},
		{"references in the data", "92 92" + ab + "9281d4006b01 81d4080002 01",
			"[[:a/b [{:k 1} {:k 2}]] 1]"},
		{"callback that is a reference away", "92 92" + ab + "81d4006b01 81d4080002",
			"[[:a/b {:k 1}] {:k 2}]"},
		{"references and padding", "92 92" + ab + "9281d4006b01 81d4080002 01 0000",
			"[[:a/b [{:k 1} {:k 2}]] 1]"},
	} {
		var got, want packer.Message
		if err := packer.Msgpack.ParseMessage(unhex(t, c.in), &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := packer.EDN.ParseMessage([]byte(c.edn), &want); err != nil {
			t.Fatal(err)
		}
		sameMessage(t, c.name, &got, &want)
	}
}

// What is written anew because of references keeps every scalar as it was.
func TestMsgpackWrittenAnew(t *testing.T) {
	const refs = "92 81d4006b01 81d4080002"
	for _, scalar := range []string{
		"cfffffffffffffffff", "cb7ff8000000000001", "ca3fc00000", "d00a", "d90161", "c40161",
		"d41401", "d60501000000", "d5030402", "d6ff00000001", "c70cff0000000100000000ffffffff",
		"c800010061", "c70909312d302d302d302d30",
	} {
		in := unhex(t, "92 "+scalar+refs)
		out, err := packer.Append(nil, packer.Msgpack, in, packer.Msgpack, packer.Options{})
		want := unhex(t, "92 "+scalar+"92 81d4006b01 81d4006b02")
		if err != nil || string(out) != string(want) {
			t.Errorf("%s: %x %v, want %x", scalar, out, err, want)
		}
	}
	for _, c := range []struct{ name, in, want string }{
		{"no reference: a copy", "92 dc000101 d4006b", "92 dc000101 d4006b"},
		{"headers get short", "93 dc000101 dd0000000102" + refs,
			"93 9101 9102 92 81d4006b01 81d4006b02"},
		{"keys of every form", "92 84a16101d4006101d4016101 9001 84d4080002d4080102d4016102 9002",
			"92 84a16101d4006101d4016101 9001 84a16102d4006102d4016102 9002"},
		{"a set grows", "92 82c7030061626301a16102 c70a04 91 82d4080001d4080102",
			"92 82c7030061626301a16102 c70c04 91 82c7030061626301a16102"},
	} {
		out, err := packer.Append(nil, packer.Msgpack, unhex(t, c.in), packer.Msgpack, packer.Options{})
		if err != nil || string(out) != string(unhex(t, c.want)) {
			t.Errorf("%s: %x %v, want %s", c.name, out, err, c.want)
		}
	}
}

func TestMsgpackUndecodableMessages(t *testing.T) {
	for _, in := range []string{
		"", "07", "8101c0", "d5049101", "d40061", "d40161", "c3", "c2", "d40261", "ca3fc00000", "c40161",
		"d41401", "d60501000000", "d6ff00000001", "91", "92c0", "92c0c1", "d40800",
	} {
		var m packer.Message
		if err := packer.Msgpack.ParseMessage(unhex(t, in), &m); !errors.Is(err, packer.ErrUndecodable) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestMsgpackCheckEvent(t *testing.T) {
	for _, c := range []struct {
		in, id string
		err    error
	}{
		{"91 c70300612f62", "a/b", nil},
		{"92 c70300612f62 81d4006b01", "a/b", nil},
		{"dc0001 c70300612f62", "a/b", nil},
		{"91 c70600 6368736b2f78", "", packer.ErrEventReserved},
		{"91 d40061", "", packer.ErrEventID},
		{"91 a3612f62", "", packer.ErrEventID},
		{"91 c70301612f62", "", packer.ErrEventID},
		{"91 c70400612f2062", "", packer.ErrEventID},
		{"91 c70500612f622f63", "", packer.ErrEventID},
		{"91 d500612f", "", packer.ErrEventID},
		{"91 91 c70300612f62", "", packer.ErrEventID},
		{"90", "", packer.ErrEventShape},
		{"93 c70300612f62 0102", "", packer.ErrEventShape},
		{"c70504 91 d500612f", "", packer.ErrEventShape},
		{"c70300612f62", "", packer.ErrEventShape},
		{"c0", "", packer.ErrEventShape},
		{"91 c70300612f62 c0", "", packer.ErrUndecodable},
		{"92 c70300612f62 81", "", packer.ErrUndecodable},
		{"", "", packer.ErrUndecodable},
	} {
		id, err := packer.Msgpack.CheckEvent(unhex(t, c.in))
		if !errors.Is(err, c.err) || string(id) != c.id {
			t.Errorf("%s: %q %v, want %q %v", c.in, id, err, c.id, c.err)
		}
	}
}

// The envelope is the edn one in msgpack, byte for byte as the encoder writes it.
func TestMsgpackEnvelope(t *testing.T) {
	e, m := packer.EDN, packer.Msgpack
	type call func(f packer.Format) []byte
	batch := func(n int) call {
		return func(f packer.Format) []byte {
			b := f.AppendBatchStart(nil, n)
			for i := range n {
				if i > 0 {
					b = f.AppendBatchNext(b)
				}
				b = f.AppendGap(b, uint64(i))
			}
			return f.AppendBatchEnd(b)
		}
	}
	data := []byte(`{:motd "hi", :n 1}`)
	calls := map[string]call{
		"handshake": func(f packer.Format) []byte {
			return f.AppendHandshake(nil, []byte("w6"), false, data)
		},
		"handshake, no data": func(f packer.Format) []byte {
			return f.AppendHandshake(nil, []byte("日"), false, nil)
		},
		"handshake, no uid": func(f packer.Format) []byte {
			return f.AppendHandshake(nil, nil, true, nil)
		},
		"reply": func(f packer.Format) []byte {
			return f.AppendReply(nil, f.Literal(packer.ErrorValue), f.Literal(packer.TimeoutValue))
		},
		"Ajax reply": func(f packer.Format) []byte {
			return f.AppendReply(nil, f.Literal(packer.ErrorValue), nil)
		},
		"pong": func(f packer.Format) []byte {
			return f.AppendPong(nil, f.Literal(packer.ErrorValue))
		},
		"gap of most": func(f packer.Format) []byte {
			return f.AppendGap(nil, 1<<63-1)
		},
		"push of none": batch(0), "push of one": batch(1), "push of 15": batch(15),
		"push of 16":    batch(16),
		"push of 65535": batch(65535), "push of 65536": batch(65536),
	}
	for l := packer.ServerPing; l <= packer.TimeoutValue; l++ {
		calls["literal "+itoa(int(l))] = func(f packer.Format) []byte { return f.Literal(l) }
	}
	for name, c := range calls {
		if got, want := c(m), toMsgpack(t, string(c(e))); string(got) != string(want) {
			t.Errorf("%s: %.60x, want %.60x", name, got, want)
		}
	}
	if got := m.AppendGap(nil, 1<<64-1); string(got) != string(m.AppendGap(nil, 1<<63-1)) {
		t.Errorf("a gap of more than an int64: %x", got)
	}
}
