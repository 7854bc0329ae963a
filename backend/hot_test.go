package backend_test

import (
	"testing"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/internal/count"
)

func BenchmarkParsePushByFormat(b *testing.B) {
	for name, line := range map[string]string{
		"json": `{"op":"push","uid":"user-1","event":["chat/message",{"text":"hi","n":1}]}`,
		"edn":  `{"op":"push","uid":"user-1","edn":"[:chat/message {:text \"hi\" :n 1 :to [1 2 3]}]"}`,
	} {
		b.Run(name, func(b *testing.B) {
			var p backend.PushParser
			text := []byte(line)
			for loop := count.Loop(b, 2000); loop.Next(); {
				if err := p.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Reading a push allocates nothing but, once in a thousand lines, a piece of memory for its names.
func TestPushParserDoesNotAllocate(t *testing.T) {
	var p backend.PushParser
	for _, line := range []string{
		`{"op":"push","uid":"alice","event":["chat/message",{"text":"hi","list":[1,2,3]}]}`,
		`{"op":"push","uids":["alice","bob"],"tenant":"t","event":["a/b"],"key":"k","ttl_ms":5,"ref":7}`,
		`{"op":"push","topic":"room:1","edn":"[:a/b {:text \"hi\"}]","flush":true}`,
		`{"op":"push","uid":"a","client":"c","transit":["~:a/b",["^ ","~:x",1]],"producer":"p","n":5}`,
		`{"op":"push","all":true,"event":["a/b",{"x y":1}],"keys":"string"}`,
	} {
		b := []byte(line)
		if n := testing.AllocsPerRun(5000, func() {
			if err := p.Parse(b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}
