package packer_test

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// transitVector is a value that Sente's packers wrote on the JVM: what tools.reader made of input,
// as the pair [value nil].
type transitVector struct{ Name, Input, EDN, Transit string }

// Every value goes from edn to transit as the stock packer writes it, and comes back.
func TestTransitVectors(t *testing.T) {
	var rows []transitVector
	readJSON(t, "testdata/transit.json", &rows)
	for _, v := range rows {
		if strings.Contains(v.EDN, "\uFFFD") {
			continue // a lone surrogate that did not survive the file
		}
		want := transitCanon(t, v.Transit)
		got, err := transcode(packer.Transit, v.EDN, packer.EDN)
		if err != nil || transitCanon(t, got) != want {
			t.Errorf("%s: %s became %s %v, the stock packer writes %s", v.Name, v.EDN, got, err, v.Transit)
		}
		checkNoCodes(t, got)
		back, err := transcode(packer.EDN, v.Transit, packer.Transit)
		if err != nil {
			t.Errorf("%s: %s: %v", v.Name, v.Transit, err)
			continue
		}
		again, err := transcode(packer.Transit, back, packer.EDN)
		if err != nil || transitCanon(t, again) != want {
			t.Errorf("%s: %s became %s, which is %s %v", v.Name, v.Transit, back, again, err)
		}
		if alone, err := transcode(packer.Transit, v.Input, packer.EDN); err == nil {
			if pair := "[" + alone + ",null]"; transitCanon(t, pair) != want {
				t.Errorf("%s: %s became %s, want %s", v.Name, v.Input, pair, v.Transit)
			}
		}
	}
}

// What the reader refuses is not written in transit either.
func TestTransitVectorsRefused(t *testing.T) {
	refused := 0
	for _, v := range vectors(t) {
		if v.ReadError == "" || v.unknownTag() {
			continue
		}
		refused++
		if got, err := transcode(packer.Transit, v.Input, packer.EDN); err == nil {
			t.Errorf("%s: %q became %s, the reader says %s", v.Name, v.Input, got, v.ReadError)
		}
	}
	if refused == 0 {
		t.Error("no vector is refused")
	}
}

func checkNoCodes(t *testing.T, text string) {
	t.Helper()
	if _, refs := transitCanonRefs(t, text); refs > 0 {
		t.Errorf("%s holds cache codes", text)
	}
}

// Messages as they went between stock clients and servers.
func TestTransitMessages(t *testing.T) {
	type row struct{ Name, From, Transit string }
	var rows []row
	readJSON(t, "testdata/transit_messages.json", &rows)
	codes := 0
	for _, v := range rows {
		want, refs := transitCanonRefs(t, v.Transit)
		codes += refs
		for _, other := range []packer.Format{packer.EDN, packer.Transit} {
			there, err := transcode(other, v.Transit, packer.Transit)
			if err != nil {
				t.Fatalf("%s: %s: %v", v.Name, v.Transit, err)
			}
			back, err := transcode(packer.Transit, there, other)
			want := want
			if other == packer.EDN {
				want = bytesAsText(want)
			}
			if err != nil || transitCanon(t, back) != want {
				t.Errorf("%s: %s became %s %v", v.Name, v.Transit, back, err)
			}
			checkNoCodes(t, back)
		}
		if v.From == "server" {
			continue
		}
		var m packer.Message
		err := packer.Transit.ParseMessage([]byte(v.Transit), &m)
		if err != nil || m.Kind == packer.BadEvent {
			t.Errorf("%s: %s: kind %d %v", v.Name, v.Transit, m.Kind, err)
		}
		pair := string(packer.Transit.AppendReply(nil, m.Event, m.Callback))
		if transitCanon(t, pair) != want {
			t.Errorf("%s: %s was split into %s and %s", v.Name, v.Transit, m.Event, m.Callback)
		}
	}
	if codes == 0 {
		t.Error("no message holds a code")
	}
}

var canonBytes = regexp.MustCompile(`bytes 0x[0-9a-f]*`)

// bytesAsText makes strings in base64 of the byte strings in the text of a value, as edn does.
func bytesAsText(canon string) string {
	return canonBytes.ReplaceAllStringFunc(canon, func(s string) string {
		b, err := hex.DecodeString(strings.TrimPrefix(s, "bytes 0x"))
		if err != nil {
			panic(err)
		}
		return strconv.Quote(base64.StdEncoding.EncodeToString(b))
	})
}
