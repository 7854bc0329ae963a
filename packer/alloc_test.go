package packer_test

import (
	"testing"

	"github.com/chskd/chskd/packer"
)

// A client's event, its check at the push boundary and its way into another format allocate nothing
// once the caller's buffers have grown.
func TestNoAllocations(t *testing.T) {
	var m packer.Message
	dst := make([]byte, 0, 4096)
	wide := `{:a 1 :b 2 :c 3 :d 4 :e {:f 1 :g 2 :h 3} "i" 5 j 6 7 8 [9] 10 :k #:l{:m 1 :n 2}
		:o 1 :p 2 :q 3 :r 4 :s 5 :t 6 :u 7 :v 8 :w 9 :x {:a 1 :b 2 :c 3 :d 4 :e 5 :f 6 :g 7 :h 8}}`
	for _, c := range []struct {
		name string
		text string
		f    packer.Format
	}{
		{"edn", chatEDN, packer.EDN},
		{"json", chatJSON, packer.JSON},
		{"edn ping", `[[:chsk/ws-ping] "a1b2c3"]`, packer.EDN},
		{"json escaped id", `[["chat\/send",{"a":"b\nc"}],"cb"]`, packer.JSON},
		{"edn zoo",
			`[[:a/b [1.5 -2.5M 1/2 0x10 \a #uuid "0-0-0-0-1" #inst "2024" "\n" #{1 :b "c"} ` + wide + `]] 1]`,
			packer.EDN},
	} {
		in := []byte(c.text)
		parse := func() {
			if err := c.f.ParseMessage(in, &m); err != nil {
				t.Fatal(err)
			}
		}
		if n := testing.AllocsPerRun(100, parse); n != 0 {
			t.Errorf("%s: ParseMessage allocates %v times", c.name, n)
		}
		if m.Kind != packer.Event {
			continue
		}
		event := append([]byte(nil), m.Event...)
		if n := testing.AllocsPerRun(100, func() {
			if err := c.f.CheckValue(event); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: CheckValue allocates %v times", c.name, n)
		}
		for to := range packer.Count {
			if n := testing.AllocsPerRun(100, func() {
				if _, err := packer.Append(dst, to, event, c.f, packer.Options{Event: true}); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%s to %v: Append allocates %v times", c.name, to, n)
			}
		}
	}
	for _, c := range []struct {
		f     packer.Format
		event string
	}{{packer.EDN, `[:a/b {:c 1}]`}, {packer.JSON, `["a/b",{"c":1}]`}} {
		event := []byte(c.event)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := c.f.CheckEvent(event); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v: CheckEvent allocates %v times", c.f, n)
		}
	}
}

func TestEnvelopeDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 4096)
	uid, data, cb := []byte("alice"), []byte(`{:motd "hi" :n 1}`), []byte(`"a1b2c3"`)
	for f := range packer.Count {
		if n := testing.AllocsPerRun(100, func() {
			b := f.AppendHandshake(dst, uid, false, data)
			b = f.AppendPong(f.AppendReply(b, f.Literal(packer.ErrorValue), cb), cb)
			b = f.AppendGap(f.AppendBatchStart(b, 1), 7)
			f.AppendBatchEnd(f.AppendBatchNext(b))
		}); n != 0 {
			t.Errorf("%v: %v allocations", f, n)
		}
	}
}
