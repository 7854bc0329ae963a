package packer_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// As TestNoAllocations, for transit: messages as the packers of Sente write them, with and without
// codes, and every kind of value to and from every format.
func TestTransitDoesNotAllocate(t *testing.T) {
	chat, err := transcode(packer.Transit, chatEDN, packer.EDN)
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string]string{
		"chat":  chat,
		"ping":  `[["~:chsk/ws-ping"],"a1b2c3"]`,
		"codes": `[["~:a/b",[["^ ","~:room",1,"text","x"],["^ ","^1",2,"^2","y"]]],"a1b2c3"]`,
		"zoo": `[["~:a/b",[1.5,-2,"~n5","~f1.50","~d2",["~#ratio",["~n1","~n2"]],"~ca","~m0",` +
			`"~t2024-01-02T03:04:05.678Z","~uf81d4fae-7dec-11d0-a765-00a0c91e6bf6","~zNaN","~$sym/bol",` +
			`["~#set",[1,"~:b"]],["~#list",[null]],["~#cmap",[[1],2,"~baGk=",3]],["~#foo",{"k":1}],"~rx:y",` +
			`"a\nb","~~t",["~#'",7],"~Xy","~:a b",["~#a b",1]]],"a1b2c3"]`,
		"escapes":     `[["\u007e:a\/b",["^ ","k\n","\u00e9","~:\u00e9",1]],null]`,
		"long text":   `[["~:a/b","` + strings.Repeat(`some text\n`, 1000) + `"],null]`,
		"long tilded": `[["~:a/b","~~` + strings.Repeat(`some text`, 1000) + `"],null]`,
	}
	var m packer.Message
	dst := make([]byte, 0, 64<<10)
	for name, text := range messages {
		in := []byte(text)
		if n := testing.AllocsPerRun(20, func() {
			if err := packer.Transit.ParseMessage(in, &m); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}); n != 0 {
			t.Errorf("%s: ParseMessage allocates %v times", name, n)
		}
		event := append([]byte(nil), m.Event...)
		if name != "escapes" { // CheckEvent copies an id with escapes
			if n := testing.AllocsPerRun(20, func() {
				_, err = packer.Transit.CheckEvent(event)
			}); n != 0 {
				t.Errorf("%s: CheckEvent allocates %v times, %v", name, n, err)
			}
		}
		for other := range packer.Count {
			there := transitAllocates(t, name, dst, other, event, packer.Transit)
			transitAllocates(t, name, dst, packer.Transit, there, other)
		}
	}
}

// transitAllocates tells on Append when it does; its result stands in memory of its own.
func transitAllocates(
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
		t.Errorf("%s: %v to %v: %v allocations", name, from, to, n)
	}
	return append([]byte(nil), out...)
}
