package oracle_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/chskd/chskd/packer"
)

var formats = []packer.Format{packer.EDN, packer.JSON, packer.Transit, packer.Msgpack}

// via takes edn through formats, from one to the next, and back to edn.
func via(text string, way ...packer.Format) (string, error) {
	b, at := []byte(text), packer.EDN
	for _, f := range append(way, packer.EDN) {
		next, err := packer.Append(nil, f, b, at, packer.Options{})
		if err != nil {
			return "", fmt.Errorf("%v to %v: %w\n%q", at, f, err, b)
		}
		b, at = next, f
	}
	return string(b), nil
}

// Every value comes out of every way a -> b -> a, for all formats a and b, as the loss table says.
func TestWaysThroughTheFormats(t *testing.T) {
	need(t, jvm)
	texts, trees := readable(t, count(t, 1500))
	for _, a := range formats {
		for _, b := range formats {
			t.Run(a.String()+"-"+b.String(), func(t *testing.T) {
				checkWay(t, texts, trees, a, b, a)
			})
		}
	}
}

// checkWay takes all values one way, and compares what the JVM reads with what the table says.
func checkWay(t *testing.T, texts []string, trees []*tree, way ...packer.Format) {
	t.Helper()
	c := complaints{t: t}
	defer c.done()
	var outs []string
	var wants []*tree
	var from []string
	for i, text := range texts {
		want := through(trees[i], way...)
		out, err := via(text, way...)
		switch {
		case err != nil && (want != nil || !errors.Is(err, packer.ErrUntranslatable)):
			c.errorf("%s\n%v", text, err)
		case err == nil:
			outs, wants, from = append(outs, out), append(wants, want), append(from, text)
		}
	}
	if len(outs) < len(texts)/4 {
		t.Fatalf("only %d of %d values have a way", len(outs), len(texts))
	}
	for i, a := range jvm.askAll("tree", outs) {
		if a.refused {
			c.errorf("%s\nbecame %s\ntools.reader: %s", from[i], outs[i], a.text)
			continue
		}
		if wants[i] == nil {
			continue
		}
		got, want := parseTree(a.text), wants[i]
		if slices.Contains(way, packer.JSON) {
			got, want = got.mapped(unordered), want.mapped(unordered)
		}
		if got, want := got.String(), want.String(); got != want {
			c.errorf("%s\nbecame %s\nwhich is %s\nnot      %v", from[i], outs[i], got, want)
		}
	}
}
