package packer_test

import (
	"testing"

	"github.com/chskd/chskd/packer"
)

// The 90-byte event of the marks: a chat message with a callback, as a client sends it.
const (
	chatEDN  = `[[:chat/send {:room-id "ops", :text "deploy finished", :urgent true, :n 1}] "a1b2c3"]`
	chatJSON = `[["chat/send",{"room-id":"ops","text":"deploy finished","urgent":true,"n":1}],"a1b2c3"]`
)

// chats are that message in every format.
func chats(tb testing.TB) (texts [packer.Count][]byte) {
	tb.Helper()
	for f := range packer.Count {
		b, err := packer.Append(nil, f, []byte(chatEDN), packer.EDN, packer.Options{})
		if err != nil {
			tb.Fatal(err)
		}
		texts[f] = b
	}
	texts[packer.EDN], texts[packer.JSON] = []byte(chatEDN), []byte(chatJSON)
	return texts
}

// Marks: a scan at most 0.3 us, a transcoding at most 1.5 us, no allocation.
func BenchmarkParseMessage(b *testing.B) {
	for f, in := range chats(b) {
		b.Run(packer.Format(f).String(), func(b *testing.B) {
			var m packer.Message
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if err := packer.Format(f).ParseMessage(in, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckEvent(b *testing.B) {
	for f, text := range chats(b) {
		b.Run(packer.Format(f).String(), func(b *testing.B) {
			in := eventOf(b, packer.Format(f), string(text))
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := packer.Format(f).CheckEvent(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for from, text := range chats(b) {
		for to := range packer.Count {
			from := packer.Format(from)
			b.Run(from.String()+"-"+to.String(), func(b *testing.B) {
				in := eventOf(b, from, string(text))
				dst := make([]byte, 0, 512)
				b.SetBytes(int64(len(in)))
				b.ReportAllocs()
				for b.Loop() {
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
