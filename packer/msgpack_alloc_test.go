package packer_test

import (
	"testing"

	"github.com/chskd/chskd/packer"
)

// As TestNoAllocations, for msgpack: messages as the packers of Sente write them, with and without
// references, and every kind of value to every format.
func TestMsgpackDoesNotAllocate(t *testing.T) {
	var m packer.Message
	dst := make([]byte, 0, 8192)
	messages := map[string][]byte{
		"chat": toMsgpack(t, chatEDN),
		"ping": toMsgpack(t, `[[:chsk/ws-ping] "a1b2c3"]`),
		"zoo": toMsgpack(t, `[[:a/b [1.5 -2 1/2 \a #uuid "0-0-0-0-1" #inst "2024" "\n" #{1 :b "c"} sym/bol
			##Inf ##NaN 1e100 9223372036854775807 #foo [1] #msgpack/ext20 "AQID"
			{:a 1 "b" {:a 2 [:k] {:a 3}}}]] 1]`),
	}
	repeated := toMsgpack(t, `[[:a/b [{:k 1 "s" 2} {:k 3 "s" 4} #{{:k 5}}]] "a1b2c3"]`)
	packed, refs := withReferences(t, repeated)
	if messages["references"] = packed; refs != 3 {
		t.Fatalf("%d references", refs)
	}
	for _, c := range msgpackMessages(t) {
		if len(c.Msgpack) < 500 {
			messages[c.Name+" "+c.From] = c.Msgpack
		}
	}
	for name, in := range messages {
		if n := testing.AllocsPerRun(20, func() {
			if err := packer.Msgpack.ParseMessage(in, &m); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: ParseMessage allocates %v times", name, n)
		}
		event := append([]byte(nil), m.Event...)
		_, err := packer.Msgpack.CheckEvent(event)
		if n := testing.AllocsPerRun(20, func() {
			_, err = packer.Msgpack.CheckEvent(event)
		}); n != 0 {
			t.Errorf("%s: CheckEvent allocates %v times, %v", name, n, err)
		}
		for other := range packer.Count {
			there := allocates(t, name, dst, other, event, packer.Msgpack)
			allocates(t, name, dst, packer.Msgpack, there, other)
		}
	}
}

// allocates tells on Append when it does; its result stands in memory of its own.
func allocates(
	t *testing.T, name string, dst []byte, to packer.Format, src []byte, from packer.Format,
) []byte {
	t.Helper()
	var out []byte
	if n := testing.AllocsPerRun(20, func() {
		var err error
		if out, err = packer.Append(dst, to, src, from, packer.Options{}); err != nil {
			t.Fatalf("%s: %v to %v: %v", name, from, to, err)
		}
	}); n != 0 {
		t.Errorf("%s: %v to %v: Append allocates %v times", name, from, to, n)
	}
	return append([]byte(nil), out...)
}
