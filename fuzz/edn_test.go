package fuzz_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/chskd/chskd/packer"
)

// addInputs seeds a target with the texts that the packer's own tests judge.
func addInputs(f *testing.F, add func(text string)) {
	for _, path := range []string{"../packer/testdata/values.json", "../packer/testdata/reader.json"} {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var vs []struct{ Input, EDN string }
		if err := json.Unmarshal(b, &vs); err != nil {
			f.Fatal(err)
		}
		for _, v := range vs {
			add(v.Input)
			add(v.EDN)
		}
	}
}

// ednMessages are client messages as captured, and what else has a shape of its own.
var ednMessages = []string{
	`[[:test/echo {:a [1 2.5 "x"]}] "a1b2c3"]`, `[[:chsk/ws-ping] "pinguu"]`, `[(:chsk/ws-ping) nil]`,
	`[[:chsk/ws-pong] nil]`, `[[:a/b 1 2] :ajax]`, `nil`, ``, `"just a string"`, `junk(`, `7`, `"😀"`, `"\ud83d"`,
	`#_ x ^{:a 1} [^:k [:a/b #foo 1] ; c` + "\n" + `#_ y nil]`, `{:a 1, "a" 2, a 3, #{a} 4}`,
}

func FuzzEDN(f *testing.F) {
	addInputs(f, func(text string) { f.Add([]byte(text), []byte(") junk")) })
	for _, text := range ednMessages {
		f.Add([]byte(text), []byte("\xff"))
	}
	f.Fuzz(func(t *testing.T, in, junk []byte) {
		checkFormat(t, packer.EDN, in)
		checkTrailing(t, in, junk)
	})
}

// checkFormat holds for every format: same input, same answer; the value's span is the value; a
// value may stand anywhere in a message; what Append writes can be read, and means the same when
// written again.
func checkFormat(t *testing.T, f packer.Format, in []byte) {
	t.Helper()
	given := bytes.Clone(in)
	err := f.CheckValue(in)
	if again := f.CheckValue(in); !sameError(err, again) {
		t.Fatalf("%v, then %v", err, again)
	}
	value, errValue := f.Value(in)
	if !sameError(err, errValue) {
		t.Fatalf("CheckValue %v, Value %v", err, errValue)
	}
	checkEvent(t, f, in, err)
	checkMessage(t, f, in, err)
	for to := range packer.Count {
		checkAppend(t, f, to, in, err)
	}
	if err == nil {
		if v, errAgain := f.Value(value); errAgain != nil || !bytes.Equal(v, value) {
			t.Fatalf("value %q holds %q %v", value, v, errAgain)
		}
		checkInside(t, f, value)
	}
	if !bytes.Equal(in, given) {
		t.Fatal("the input was written to")
	}
}

func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Error() == b.Error()
}

func checkEvent(t *testing.T, f packer.Format, in []byte, errValue error) {
	t.Helper()
	id, err := f.CheckEvent(in)
	switch {
	case errValue != nil && !sameError(err, errValue):
		t.Fatalf("CheckEvent %v, CheckValue %v", err, errValue)
	case err == nil && (bytes.IndexByte(id, '/') < 1 || bytes.HasPrefix(id, []byte("chsk/"))):
		t.Fatalf("event id %q", id)
	}
}

// checkMessage: whatever is one value is a message, or no sequence; slots are values.
func checkMessage(t *testing.T, f packer.Format, in []byte, errValue error) {
	t.Helper()
	var m packer.Message
	err := f.ParseMessage(in, &m)
	if err != nil {
		var d *packer.DecodeError
		if !errors.As(err, &d) || errValue == nil && d.Reason != "a message is a sequence" {
			t.Fatalf("ParseMessage %v, CheckValue %v", err, errValue)
		}
		return
	}
	if err := f.CheckValue(m.Event); err != nil {
		t.Fatalf("event %q: %v", m.Event, err)
	}
	if m.Callback != nil && f.CheckValue(m.Callback) != nil {
		t.Fatalf("callback %q: %v", m.Callback, f.CheckValue(m.Callback))
	}
	if _, err := f.CheckEvent(m.Event); m.Kind == packer.Event && err != nil &&
		!errors.Is(err, packer.ErrEventReserved) || m.Kind == packer.BadEvent && err == nil {
		t.Fatalf("kind %d, CheckEvent(%q) %v", m.Kind, m.Event, err)
	}
}

// checkInside puts a value into an event, and into both slots of a message.
func checkInside(t *testing.T, f packer.Format, value []byte) {
	t.Helper()
	plain, err := packer.Append(nil, f, value, f, packer.Options{})
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	head := [packer.Count]string{
		packer.EDN: "[:a/b ", packer.JSON: `["a/b",`, packer.Transit: `["~:a/b",`,
		packer.Msgpack: "\x92\xc7\x03\x00a/b",
	}[f]
	event := append([]byte(head), plain...)
	if f != packer.Msgpack {
		event = append(event, ']')
	}
	message := f.AppendReply(nil, event, plain)
	var m packer.Message
	if err := f.ParseMessage(message, &m); err != nil {
		if tooDeep(err) {
			return
		}
		t.Fatalf("%q: %v", message, err)
	}
	none := isNone(t, f, plain)
	if m.Kind != packer.Event || !bytes.Equal(m.Event, event) || string(m.ID) != "a/b" ||
		none != (m.Callback == nil) || !none && !bytes.Equal(m.Callback, plain) {
		t.Fatalf("%q: kind %d event %q callback %q", message, m.Kind, m.Event, m.Callback)
	}
}

// isNone tells whether a value is nil or false, however it is written.
func isNone(t *testing.T, f packer.Format, value []byte) bool {
	t.Helper()
	out, err := packer.Append(nil, packer.EDN, value, f, packer.Options{})
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	if f == packer.EDN {
		out, _ = packer.Append(nil, packer.JSON, value, f, packer.Options{})
	}
	s := string(out)
	return s == "nil" || s == "null" || s == "false"
}

func tooDeep(err error) bool {
	var d *packer.DecodeError
	return errors.As(err, &d) && d.Reason == "nested deeper than 512"
}

// checkAppend: transcoding works exactly when the text is a value, but for what msgpack does not hold,
// and gives one that is the same when it comes back and goes there again.
func checkAppend(t *testing.T, f, to packer.Format, in []byte, errValue error) {
	t.Helper()
	for _, o := range []packer.Options{{}, {Event: true}, {StringKeys: true}} {
		out, err := packer.Append([]byte("x"), to, in, f, o)
		if errValue == nil && errors.Is(err, packer.ErrUntranslatable) && to == packer.Msgpack && f != to {
			continue
		}
		if !sameError(err, errValue) || out[0] != 'x' {
			t.Fatalf("to %v: %v, CheckValue %v", to, err, errValue)
		}
		if err != nil {
			if len(out) != 1 {
				t.Fatalf("to %v: %v but wrote %q", to, err, out)
			}
			continue
		}
		out = out[1:]
		if err := to.CheckValue(out); err != nil {
			t.Fatalf("to %v: %q: %v", to, out, err)
		}
		if to == packer.JSON && !json.Valid(out) {
			t.Fatalf("%q is not JSON", out)
		}
		checkStable(t, f, to, out)
	}
}

// checkStable sends the result back to f, here again, and back once more: what was lost was lost the
// first time. JSON is the same from the start, but for a number beyond a double: it is ##Inf in edn,
// and a string when it comes again.
func checkStable(t *testing.T, f, to packer.Format, out []byte) {
	t.Helper()
	back, err := packer.Append(nil, f, out, to, packer.Options{})
	if err != nil {
		if f == packer.Msgpack && errors.Is(err, packer.ErrUntranslatable) {
			return
		}
		t.Fatalf("%q does not come back: %v", out, err)
	}
	again, err := packer.Append(nil, to, back, f, packer.Options{})
	if err != nil {
		t.Fatalf("%q does not go again: %v", back, err)
	}
	infinite := bytes.Contains(back, []byte("##")) || bytes.Contains(back, []byte("~z"))
	if !bytes.Equal(again, out) && to == packer.JSON && !infinite {
		t.Fatalf("%q, back %q, again %q", out, back, again)
	}
	last, err := packer.Append(nil, f, again, to, packer.Options{})
	if err != nil || !bytes.Equal(last, back) && !infinite {
		t.Fatalf("to %v %q, back %q, again %q, back %q %v", to, out, back, again, last, err)
	}
}

// checkTrailing: behind a message that ends with a delimiter, anything may follow in edn.
func checkTrailing(t *testing.T, in, junk []byte) {
	t.Helper()
	value, err := packer.EDN.Value(in)
	if err != nil || len(value) == 0 || !bytes.ContainsAny(value[len(value)-1:], `])"`) {
		return
	}
	var alone, followed packer.Message
	errAlone := packer.EDN.ParseMessage(value, &alone)
	errFollowed := packer.EDN.ParseMessage(append(bytes.Clone(value), junk...), &followed)
	if !sameError(errAlone, errFollowed) || errAlone == nil &&
		(alone.Kind != followed.Kind || !bytes.Equal(alone.Event, followed.Event) ||
			!bytes.Equal(alone.ID, followed.ID) || !bytes.Equal(alone.Callback, followed.Callback)) {
		t.Fatalf("%q and %q: %v %v", value, junk, errAlone, errFollowed)
	}
}
