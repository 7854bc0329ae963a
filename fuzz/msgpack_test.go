package fuzz_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/chskd/chskd/packer"
)

// msgpackSeeds are the bytes that the packer's own tests judge, and forms that Sente never writes.
func msgpackSeeds(f *testing.F) (seeds [][]byte) {
	for _, path := range []string{"msgpack.json", "msgpack_messages.json"} {
		b, err := os.ReadFile("../packer/testdata/" + path)
		if err != nil {
			f.Fatal(err)
		}
		var vs []struct{ Msgpack []byte }
		if err := json.Unmarshal(b, &vs); err != nil {
			f.Fatal(err)
		}
		for _, v := range vs {
			seeds = append(seeds, v.Msgpack)
		}
	}
	for _, s := range []string{
		"", "\xc1", "\xc4\x01\x01", "\xca\x3f\x80\x00\x00", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xd4\x14\x01",
		"\xd6\x05\x01\x00\x00\x00", "\xd6\x06\x00\x00\xc0\x7f",
		"\xd7\xff\x00\x00\x00\x01\x00\x00\x00\x00",
		"\x82\xa1a\x01\x81\xd4\x08\x00\x01\x02", "\x92\x81\xd4\x00a\x01\x81\xd4\x08\x00\x02",
		"\xc7\x00\x00",
		"\x92\x91\xc7\x03\x00a/b\xc0\x00\x00\x00\x00", "\xd5\x04\x91\xc0",
		"\xdd\x00\x00\x00\x01\xdf\x00\x00\x00\x00",
	} {
		seeds = append(seeds, []byte(s))
	}
	return seeds
}

// FuzzMsgpack reads arbitrary bytes as msgpack.
func FuzzMsgpack(f *testing.F) {
	for _, seed := range msgpackSeeds(f) {
		f.Add(seed, []byte("\x00\x00"))
	}
	f.Fuzz(func(t *testing.T, in, junk []byte) {
		checkFormat(t, packer.Msgpack, in)
		checkBehind(t, in, junk)
		checkCopy(t, in)
	})
}

// checkBehind: a value that is cut off is refused, and whatever follows a message changes nothing.
func checkBehind(t *testing.T, in, junk []byte) {
	t.Helper()
	value, err := packer.Msgpack.Value(in)
	if err != nil {
		return
	}
	for _, n := range []int{0, len(value) / 2, len(value) - 1} {
		if err := packer.Msgpack.CheckValue(value[:n]); err == nil {
			t.Fatalf("%x, cut off after %d bytes, is taken", value, n)
		}
	}
	var alone, followed packer.Message
	errAlone := packer.Msgpack.ParseMessage(value, &alone)
	errFollowed := packer.Msgpack.ParseMessage(append(bytes.Clone(value), junk...), &followed)
	if !sameError(errAlone, errFollowed) || errAlone == nil &&
		(alone.Kind != followed.Kind || !bytes.Equal(alone.Event, followed.Event) ||
			!bytes.Equal(alone.ID, followed.ID) || !bytes.Equal(alone.Callback, followed.Callback)) {
		t.Fatalf("%x and %x: %v %v", value, junk, errAlone, errFollowed)
	}
}

// checkCopy: what Append makes of msgpack in msgpack is the same in every other format, and is a copy
// the next time.
func checkCopy(t *testing.T, in []byte) {
	t.Helper()
	plain, err := packer.Append(nil, packer.Msgpack, in, packer.Msgpack, packer.Options{})
	if err != nil {
		return
	}
	again, err := packer.Append(nil, packer.Msgpack, plain, packer.Msgpack, packer.Options{})
	if err != nil || !bytes.Equal(again, plain) {
		t.Fatalf("%x, then %x %v", plain, again, err)
	}
	for to := range packer.Count {
		a, errA := packer.Append(nil, to, in, packer.Msgpack, packer.Options{})
		b, errB := packer.Append(nil, to, plain, packer.Msgpack, packer.Options{})
		if to != packer.Msgpack && (errA != nil || errB != nil || !bytes.Equal(a, b)) {
			t.Fatalf("to %v: %q %v, without references %q %v", to, a, errA, b, errB)
		}
	}
}
