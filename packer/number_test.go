package packer_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// A number that is just short enough is so in every format that it can be written in.
func TestNumbersStayReadable(t *testing.T) {
	digits := func(c string, n int) string { return strings.Repeat(c, n) }
	for _, c := range []struct {
		name string
		f    packer.Format
		text func(n int) string // a number of about n bytes
	}{
		{"integer", packer.EDN, func(n int) string { return digits("9", n) }},
		{"negative", packer.EDN, func(n int) string { return "-" + digits("9", n-1) }},
		{"big", packer.EDN, func(n int) string { return digits("9", n-1) + "N" }},
		{"hex", packer.EDN, func(n int) string { return "-0x" + digits("f", n-3) }},
		{"radix 36", packer.EDN, func(n int) string { return "36r" + digits("Z", n-3) }},
		{"radix 2", packer.EDN, func(n int) string { return "2r" + digits("1", n-2) }},
		{"octal", packer.EDN, func(n int) string { return "0" + digits("7", n-1) }},
		{"point", packer.EDN, func(n int) string { return "-" + digits("9", n-2) + "." }},
		{"point, exponent", packer.EDN, func(n int) string { return digits("9", n-3) + ".e5" }},
		{"decimal", packer.EDN, func(n int) string { return digits("9", n-2) + ".M" }},
		{"ratio", packer.EDN, func(n int) string { return "-" + digits("9", n/2) + "/" + digits("7", n-n/2-2) }},
		{"integer", packer.JSON, func(n int) string { return digits("9", n) }},
		{"fraction", packer.JSON, func(n int) string { return "0." + digits("9", n-2) }},
		{"integer", packer.Transit, func(n int) string { return digits("9", n) }},
		{"~i", packer.Transit, func(n int) string { return `"~i` + digits("9", n) + `"` }},
		{"~n", packer.Transit, func(n int) string { return `"~n-` + digits("9", n-1) + `"` }},
		{"~f", packer.Transit, func(n int) string { return `"~f` + digits("9", n) + `"` }},
		{"~f1.", packer.Transit, func(n int) string { return `"~f` + digits("9", n-1) + `."` }},
		{"~d", packer.Transit, func(n int) string { return `"~d-` + digits("9", n-1) + `"` }},
		{"~d1.", packer.Transit, func(n int) string { return `"~d` + digits("9", n-1) + `."` }},
		{"ratio", packer.Transit, func(n int) string {
			return `["~#ratio",["~n-` + digits("9", n/2) + `","~n` + digits("7", n-n/2-2) + `"]]`
		}},
	} {
		taken := 0
		for n := packer.NumberMax / 2; n <= packer.NumberMax+2; n++ {
			if n == packer.NumberMax/2+2 {
				n = packer.NumberMax*100/157 - 2 // around where radix 36 is too long
			}
			if n == packer.NumberMax*100/157+8 {
				n = packer.NumberMax*100/121 - 4 // and radix 16
			}
			if n == packer.NumberMax*100/121+14 {
				n = packer.NumberMax - 4
			}
			text := c.text(n)
			if c.f.CheckValue([]byte(text)) != nil {
				continue
			}
			taken++
			for _, to := range []packer.Format{packer.EDN, packer.JSON, packer.Transit} {
				out, err := transcode(to, "["+text+"]", c.f)
				if err == nil {
					err = to.CheckValue([]byte(out))
				}
				if err != nil {
					t.Errorf("%v %s of %d bytes: %v: %v", c.f, c.name, n, to, err)
					continue
				}
				for back := range packer.Msgpack {
					out, err := transcode(back, out, to)
					if err == nil {
						err = back.CheckValue([]byte(out))
					}
					if err != nil {
						t.Errorf("%v %s of %d bytes: %v, %v: %v", c.f, c.name, n, to, back, err)
					}
				}
			}
		}
		if taken < 8 {
			t.Errorf("%v %s: only %d lengths are taken", c.f, c.name, taken)
		}
	}
}
