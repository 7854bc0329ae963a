package fuzz_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/chskd/chskd/packer"
)

func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`[["chat/send",{"text":"hi","n":[1,-2.5,1e3,12345678901234567890]}],"cb1"]`, `[["chsk/ws-ping"],"cb"]`,
		`[["chat\/send",{"a\u0000":"\ud83d\ude00 \ud83d"}],null]`, `{"a":1,"a/b":2,"a b":3,"":4,":a":5,"a/1":6}`,
		`"x"`, `null`, ``, ` [ ] `, `{"a":1,"\u0061":2}`, `[1,]`, `01`, `"\u00zz"`, `[true,false]`, `{"":{"":{}}}`,
		`"\"\\\/\b\f\n\r\té日😀"`, `-0`, `1e400`, `[[[[]]]]`, "\ufeff1", "\"\x01\"",
	} {
		f.Add([]byte(text))
	}
	addInputs(f, func(text string) { f.Add([]byte(text)) })
	f.Fuzz(func(t *testing.T, in []byte) {
		checkFormat(t, packer.JSON, in)
		checkReference(t, in)
	})
}

// checkReference compares with the standard library's reader, which takes doubled names, any
// depth, any length of numbers and bytes that are not UTF-8.
func checkReference(t *testing.T, in []byte) {
	t.Helper()
	err := packer.JSON.CheckValue(in)
	valid := json.Valid(in)
	switch {
	case err == nil && !valid:
		t.Fatal("taken, but encoding/json refuses it")
	case err != nil && valid && utf8.Valid(in):
		var d *packer.DecodeError
		errors.As(err, &d)
		switch d.Reason {
		case "duplicate key", "nested deeper than 512", "number longer than 4096 bytes":
		default:
			t.Fatalf("%v, but encoding/json takes it", err)
		}
	}
}
