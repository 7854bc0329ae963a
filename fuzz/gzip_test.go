package fuzz_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"testing"

	"github.com/chskd/chskd/packer"
)

// FuzzGzip gives bytes to the gzip wrapper: it takes what the standard library takes and nothing
// else, never more than is allowed, and what it packs comes back, whatever was read before.
func FuzzGzip(f *testing.F) {
	var g packer.Gzip
	long := bytes.Repeat([]byte(`[[:chat/send {:text "hi"}] "a1b2c3"] `), 40)
	whole := g.Pack(nil, long)
	for _, in := range [][]byte{
		nil, {0}, {1}, {2}, []byte("\x00[[:a/b] nil]"), []byte("\xff[]"), whole, whole[:len(whole)-1],
		append(bytes.Clone(whole), 0, 0, 0), append(bytes.Clone(whole), whole[1:]...),
		g.Pack(nil, make([]byte, 1<<20)), []byte("\x01\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\xff\xff"),
		[]byte("\x01\x1f\x8b\x08\x1e\x00\x00\x00\x00\x00\x00\xff\x02\x00ab\x6e\x00\x63\x00\x00\x00"),
		[]byte("\x01\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	} {
		f.Add(in, uint32(len(long)))
	}
	f.Fuzz(func(t *testing.T, in []byte, most uint32) {
		limit := int(most % (1 << 20))
		before := bytes.Clone(in)
		got, err := g.Unpack(in, limit)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		checkUnpacked(t, in, limit, got, err)
		g.Trim()

		packed := g.Pack([]byte("x"), in)
		back, err := g.Unpack(packed[1:], len(in))
		if packed[0] != 'x' || err != nil || !bytes.Equal(back, in) {
			t.Fatalf("%d bytes came back as %d, %v", len(in), len(back), err)
		}
		if len(in) > 0 {
			if _, err := g.Unpack(packed[1:], len(in)-1); err != packer.ErrTooLarge {
				t.Fatalf("one byte less allowed: %v", err)
			}
		}
	})
}

// checkUnpacked compares with the naive reader.
func checkUnpacked(t *testing.T, in []byte, limit int, got []byte, err error) {
	t.Helper()
	want, wantErr := naiveUnpack(in, limit)
	switch {
	case len(got) > limit:
		t.Fatalf("%d bytes, where %d are allowed", len(got), limit)
	case wantErr != nil && err != nil && !errors.Is(err, packer.ErrUndecodable) &&
		err != packer.ErrTooLarge:
		t.Fatalf("an error of no kind: %v", err)
	case (wantErr == nil) != (err == nil) || !bytes.Equal(got, want):
		t.Fatalf("%d bytes, %v; want %d, %v", len(got), err, len(want), wantErr)
	}
}

// naiveUnpack is the same by the standard library.
func naiveUnpack(in []byte, limit int) ([]byte, error) {
	switch {
	case len(in) == 0:
		return nil, packer.ErrUndecodable
	case in[0] != 1 && len(in)-1 > limit:
		return nil, packer.ErrTooLarge
	case in[0] != 1:
		return in[1:], nil
	}
	r, err := gzip.NewReader(bytes.NewReader(in[1:]))
	if err != nil {
		return nil, err
	}
	r.Multistream(false)
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err == nil && len(out) > limit {
		err = packer.ErrTooLarge
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
