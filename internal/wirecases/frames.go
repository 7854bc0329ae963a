package wirecases

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/chskd/chskd/wsframe"
)

// Frames is what one client sends, and what a reader must make of it. Immutable after New.
type Frames struct {
	Name string
	In   string
	Want []string // a line for each: kind and payload as Go quotes it
}

// FrameCases gives all cases. A file that cannot be read is a mistake in this package: it panics.
func FrameCases() (cases []Frames) {
	for _, s := range sections("frames") {
		c := Frames{Name: s.title}
		for _, line := range s.lines {
			if want, ok := strings.CutPrefix(line, "> "); ok {
				c.Want = append(c.Want, canonical(want))
			} else if line != "" {
				c.In += frames(line)
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// canonical writes a line of output as ReadFrames does, whatever escapes its author chose.
func canonical(line string) string {
	kind, payload, ok := strings.Cut(line, " ")
	if !ok || kind == "error" {
		return line
	}
	return kind + " " + strconv.Quote(quoted(payload))
}

// quoted gives a payload; a plus joins two.
func quoted(text string) string {
	var out string
	for _, part := range strings.Split(text, " + ") {
		if strings.HasPrefix(part, "<<") {
			out += unescape(part)
			continue
		}
		s, err := strconv.Unquote(part)
		if err != nil {
			panic("wirecases: not a string: " + part)
		}
		out += s
	}
	return out
}

// frames builds what one line of a case says.
func frames(line string) string {
	if n, rest, ok := strings.Cut(line, " * "); ok {
		if count, err := strconv.Atoi(n); err == nil {
			return strings.Repeat(frames(rest), count)
		}
	}
	first, payload, _ := strings.Cut(line, " ")
	if first == "raw" {
		return quoted(payload)
	}
	b, err := strconv.ParseUint(first, 16, 8)
	if err != nil {
		panic("wirecases: not a frame: " + line)
	}
	return Frame(byte(b), quoted(payload))
}

// Frame builds a masked frame in the shortest form; first is FIN, RSV and opcode.
func Frame(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	key := [4]byte{0x9C ^ first, 0x4B, byte(len(payload)), 0xE7}
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return string(b)
}

// ReadFrames reads a stream that arrives cut before the given offsets, of messages of at most
// maxLen bytes, and gives a line for each thing that came out.
func ReadFrames(in string, cuts []int, maxLen int) (out []string) {
	var r wsframe.Reader
	var res wsframe.Result
	var asm, pending []byte
	at := 0
	for _, next := range append(cuts[:len(cuts):len(cuts)], len(in)) {
		pending = append(append([]byte(nil), pending...), in[at:next]...)
		at = next
		for {
			n, err := r.Next(pending, &asm, maxLen, &res)
			if e, ok := err.(*wsframe.Error); ok {
				return append(out, fmt.Sprintf("error %d", e.Code))
			}
			if n < 0 || n > len(pending) || err != nil {
				panic(fmt.Sprintf("wirecases: used %d of %d bytes, %v", n, len(pending), err))
			}
			if res.Kind == wsframe.None && n == 0 {
				break
			}
			if res.Kind != wsframe.None {
				out = append(out, kindName(&res)+" "+strconv.Quote(string(res.Payload)))
			}
			if res.Assembled {
				asm = asm[:0]
			}
			pending = pending[n:]
		}
		if len(pending) > wsframe.PendingMax {
			panic(fmt.Sprintf("wirecases: %d bytes are left for later", len(pending)))
		}
	}
	if r.Started() && !r.Ended() {
		out = append(out, "open")
	}
	return out
}

func kindName(res *wsframe.Result) string {
	switch {
	case res.Kind == wsframe.PingFrame:
		return "ping"
	case res.Kind == wsframe.PongFrame:
		return "pong"
	case res.Kind == wsframe.CloseFrame:
		return "close"
	case res.Opcode == wsframe.Text:
		return "text"
	}
	return "binary"
}
