package backend_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/chskd/chskd/backend"
)

// readLines gives all lines of a stream, as "number:line" or "number!error".
func readLines(r io.Reader, max int) string {
	var out []string
	l := backend.NewLines(r, max)
	for {
		line, number, err := l.Next()
		switch {
		case err == io.EOF:
			return strings.Join(out, " ")
		case err == backend.ErrLineTooLong:
			out = append(out, fmt.Sprint(number, "!long"))
		case err != nil:
			return strings.Join(append(out, fmt.Sprint(number, "!", err)), " ")
		default:
			out = append(out, fmt.Sprint(number, ":", string(line)))
		}
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("y", 10000)
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"a", "1:a"},
		{"a\n", "1:a"},
		{"a\nb", "1:a 2:b"},
		{"a\r\nb\r\n", "1:a 2:b"},
		{"\n\n a\n\t\r\n b \n", "3: a 5: b "},
		{"a\rb\n", "1:a\rb"},
		{"12345678\n", "1:12345678"},
		{"12345678\r\n", "1:12345678"},
		{"123456789\n", "1!long"},
		{"123456789", "1!long"},
		{"123456789\r\nb", "1!long 2:b"},
		{"a\n" + long + "\nb\n" + long, "1:a 2!long 3:b 4!long"},
		{strings.Repeat("\n", 9000) + "z", "9001:z"},
	} {
		for name, r := range map[string]io.Reader{
			"whole":    strings.NewReader(c.in),
			"bytes":    iotest.OneByteReader(strings.NewReader(c.in)),
			"halves":   iotest.HalfReader(strings.NewReader(c.in)),
			"data EOF": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			if got := readLines(r, 8); got != c.want {
				t.Errorf("%.40q, %s: got %.100q, want %q", c.in, name, got, c.want)
			}
		}
	}
}

// An error of the reader comes after all whole lines, and not as a line.
func TestLinesError(t *testing.T) {
	r := io.MultiReader(strings.NewReader("a\nb\nhalf"), iotest.ErrReader(errors.New("broken")))
	if got := readLines(r, 8); got != "1:a 2:b 2!broken" {
		t.Errorf("got %q", got)
	}
}
