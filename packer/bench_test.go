package packer_test

import (
	"testing"

	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/packer"
)

// The 90-byte event of the marks: a chat message with a callback, as a client sends it.
const (
	chatEDN  = `[[:chat/send {:room-id "ops", :text "deploy finished", :urgent true, :n 1}] "a1b2c3"]`
	chatJSON = `[["chat/send",{"room-id":"ops","text":"deploy finished","urgent":true,"n":1}],"a1b2c3"]`
)

// chat is the event's message in format f.
func chat(tb testing.TB, f packer.Format) []byte {
	tb.Helper()
	out, err := packer.Append(nil, f, []byte(chatEDN), packer.EDN, packer.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// Marks: a scan at most 0.3 us, a transcoding at most 1.5 us, no allocation.
func BenchmarkParseMessage(b *testing.B) {
	for f := range packer.Count {
		b.Run(f.String(), func(b *testing.B) {
			in := chat(b, f)
			var m packer.Message
			b.SetBytes(int64(len(in)))
			for loop := count.Loop(b, 1000); loop.Next(); {
				if err := f.ParseMessage(in, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckEvent(b *testing.B) {
	for f := range packer.Count {
		b.Run(f.String(), func(b *testing.B) {
			in := eventOf(b, f, string(chat(b, f)))
			b.SetBytes(int64(len(in)))
			for loop := count.Loop(b, 1000); loop.Next(); {
				if _, err := f.CheckEvent(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for from := range packer.Count {
		for to := range packer.Count {
			b.Run(from.String()+"-"+to.String(), func(b *testing.B) {
				in := eventOf(b, from, string(chat(b, from)))
				dst := make([]byte, 0, 512)
				b.SetBytes(int64(len(in)))
				for loop := count.Loop(b, 1000); loop.Next(); {
					out, err := packer.Append(dst, to, in, from, packer.Options{Event: true})
					if err != nil {
						b.Fatal(err)
					}
					dst = out[:0]
				}
			})
		}
	}
}

// eventOf is the event in slot 1 of a message.
func eventOf(tb testing.TB, f packer.Format, text string) []byte {
	tb.Helper()
	var m packer.Message
	if err := f.ParseMessage([]byte(text), &m); err != nil || m.Kind != packer.Event {
		tb.Fatalf("%s is no event message: %v", text, err)
	}
	return m.Event
}
