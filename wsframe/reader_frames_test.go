package wsframe_test

import (
	"math"
	"slices"
	"testing"

	"github.com/chskd/chskd/wsframe"
)

// TestReaderFrames: a caller can tell how many frames a message has had after each call,
// however its bytes were split.
func TestReaderFrames(t *testing.T) {
	in := frame(0x81, "whole") + frame(0x89, "ping") + // 1, and a ping between messages
		frame(0x01, "") + frame(0x00, "") + frame(0x89, "p") + frame(0x00, "a") + frame(0x80, "") +
		frame(0x8A, "") + frame(0x82, "next")
	want := []int{1, 1, 1, 2, 3, 4, 5, 5, 1}
	for _, step := range []int{len(in), 1, 2, 3, 7} {
		var r wsframe.Reader
		var res wsframe.Result
		var asm, buf []byte
		seen := []int{0}
		for at := 0; at < len(in); at += step {
			buf = append(buf, in[at:min(at+step, len(in))]...)
			for {
				n, err := r.Next(buf, &asm, 1000, &res)
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					break
				}
				buf = buf[n:]
				if f := r.Frames(); f != seen[len(seen)-1] {
					seen = append(seen, f)
				}
			}
		}
		// The same without neighbours that are alike: a frame may take several calls.
		if got := slices.Compact(seen[1:]); !slices.Equal(got, slices.Compact(slices.Clone(want))) {
			t.Errorf("in steps of %d: %v, want %v", step, got, want)
		}
	}
}

// TestReaderFramesEnd: the count does not begin anew behind its end.
func TestReaderFramesEnd(t *testing.T) {
	var r wsframe.Reader
	var res wsframe.Result
	var asm []byte
	first, more := frame(0x02, ""), frame(0x00, "")
	for i := range math.MaxUint16 + 10 {
		b := []byte(more)
		if i == 0 {
			b = []byte(first)
		}
		if _, err := r.Next(b, &asm, 1000, &res); err != nil {
			t.Fatal(err)
		}
		if got, want := r.Frames(), min(i+1, math.MaxUint16); got != want {
			t.Fatalf("after %d frames %d", i+1, got)
		}
	}
}
