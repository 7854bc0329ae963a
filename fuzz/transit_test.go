package fuzz_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/chskd/chskd/packer"
)

// transitSeeds are the texts that the packer's own tests judge, and forms that Sente never writes.
func transitSeeds(f *testing.F) (seeds []string) {
	for _, path := range []string{"transit.json", "transit_messages.json"} {
		b, err := os.ReadFile("../packer/testdata/" + path)
		if err != nil {
			f.Fatal(err)
		}
		var vs []struct{ Transit string }
		if err := json.Unmarshal(b, &vs); err != nil {
			f.Fatal(err)
		}
		for _, v := range vs {
			seeds = append(seeds, v.Transit)
		}
	}
	return append(seeds, "", "null", `"~"`, `"~ "`, `["^ "]`, `[["~:a b","~$nil"],["^ ","~:abcd",1,"^0",2]]`,
		`{"~#set":["\u007e:long","^1"]}`, `["~#cmap",[["~#ratio",[1,-2]],["~zNaN"],"~i15",{"a":"~d1."}]]`,
		`["~#'",["~#list",["~:a\/b","~baGk=","~rhttp:x","~t2024-01-02T03:04:05.678Z"]]]`, `[["~#inst",1],["^0",2]]`,
		`[["^ ","~baGk=","~rx"],"~Xy","~c\"","~~\ud83d","~f1.M","~n-0","~d-0"]`, `["~#x",["~#set",[["~#x",1]]]]`,
		`["^ ",null,["^ ",[1],2],"~~k","^a"]`, `"~?t"`, `["~#'","ab"]`, `[1e400,"~d-1e400","~m99999999999999"]`,
		`[["~:abc/d","^0"],["^0","^0"]]`)
}

// FuzzTransit reads arbitrary bytes as transit+json.
func FuzzTransit(f *testing.F) {
	for _, seed := range transitSeeds(f) {
		f.Add([]byte(seed), []byte("] junk"))
	}
	f.Fuzz(func(t *testing.T, in, junk []byte) {
		checkFormat(t, packer.Transit, in)
		checkBehindTransit(t, in, junk)
		checkWithoutCodes(t, in)
	})
}

// checkBehindTransit: whatever is transit is JSON, cut off it is refused unless it is a number, and
// what follows a message changes nothing.
func checkBehindTransit(t *testing.T, in, junk []byte) {
	t.Helper()
	value, err := packer.Transit.Value(in)
	if err != nil {
		return
	}
	if !json.Valid(in) {
		t.Fatalf("%q is taken, encoding/json refuses it", in)
	}
	for _, n := range []int{0, len(value) / 2, len(value) - 1} {
		err := packer.Transit.CheckValue(value[:n])
		if err == nil && !json.Valid(value[:n]) {
			t.Fatalf("%q, cut off after %d bytes, is taken", value, n)
		}
	}
	var alone, followed packer.Message
	errAlone := packer.Transit.ParseMessage(value, &alone)
	if !bytes.ContainsAny(value[len(value)-1:], `]}"`) {
		return // the end of a number or word
	}
	errFollowed := packer.Transit.ParseMessage(append(bytes.Clone(value), junk...), &followed)
	if !sameError(errAlone, errFollowed) || errAlone == nil &&
		(alone.Kind != followed.Kind || !bytes.Equal(alone.Event, followed.Event) ||
			!bytes.Equal(alone.ID, followed.ID) || !bytes.Equal(alone.Callback, followed.Callback)) {
		t.Fatalf("%q and %q: %v %v", value, junk, errAlone, errFollowed)
	}
}

// checkWithoutCodes: what Append makes of transit in transit is the same in every other format, and
// is a copy the next time.
func checkWithoutCodes(t *testing.T, in []byte) {
	t.Helper()
	plain, err := packer.Append(nil, packer.Transit, in, packer.Transit, packer.Options{})
	if err != nil {
		return
	}
	again, err := packer.Append(nil, packer.Transit, plain, packer.Transit, packer.Options{})
	if err != nil || !bytes.Equal(again, plain) {
		t.Fatalf("%q, then %q %v", plain, again, err)
	}
	for to := range packer.Count {
		a, errA := packer.Append(nil, to, in, packer.Transit, packer.Options{})
		b, errB := packer.Append(nil, to, plain, packer.Transit, packer.Options{})
		if to != packer.Transit && (!sameError(errA, errB) || !bytes.Equal(a, b)) {
			t.Fatalf("to %v: %q %v, without codes %q %v", to, a, errA, b, errB)
		}
	}
}
