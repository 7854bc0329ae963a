package fuzz_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

// FuzzForm looks up a parameter in an arbitrary query or form. It must be what formNaive finds,
// and be decoded as net/url does where that takes it; and a name and value that net/url encodes,
// put before the list, must come back.
func FuzzForm(f *testing.F) {
	f.Add("udt=1&client-id=a-b&handshake%3F=1", "handshake?")
	f.Add("ppstr=%5B%5B%3Aa%2Fb+1%5D+nil%5D&csrf-token=tok%2B1%2F2%3D3", "ppstr")
	f.Add("a=%zz%4&a=%&%61=%41&b", "a")
	f.Add("&&=&a+b=c=d&é=\xff", "a b")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, list, name string) {
		want, present := formNaive(list, name)
		formCheck(t, list, name, want, present)
		formCheckPairs(t, list)
		value := want + list
		built := url.QueryEscape(name) + "=" + url.QueryEscape(value) + "&" + list
		formCheck(t, built, name, value, true)
	})
}

// formCheck looks one parameter up.
func formCheck(t *testing.T, list, name, want string, present bool) {
	t.Helper()
	value, rest, ok := httpmin.Param([]byte(list), name, []byte("kept"))
	if ok != present || string(value) != want || ok != (value != nil) || string(rest) != "kept"+want {
		t.Fatalf("%q in %q: %q, %v, scratch %q; want %q, %v", name, list, value, ok, rest, want, present)
	}
	if httpmin.HasParam([]byte(list), name) != present {
		t.Fatalf("%q in %q: HasParam says %v", name, list, !present)
	}
}

// formCheckPairs walks the list: the pairs joined again are the list, and each part is decoded as
// net/url does it, unless that refuses an escape.
func formCheckPairs(t *testing.T, list string) {
	var pairs []string
	for rest := []byte(list); len(rest) > 0; {
		var name, value []byte
		name, value, rest = httpmin.NextParam(rest)
		pair := string(name)
		if value != nil {
			pair += "=" + string(value)
		}
		pairs = append(pairs, pair)
		for _, part := range [][]byte{name, value} {
			theirs, err := url.QueryUnescape(string(part))
			if ours := httpmin.AppendUnescaped(nil, part); err == nil && string(ours) != theirs {
				t.Fatalf("%q is decoded to %q; net/url: %q", part, ours, theirs)
			}
		}
	}
	if joined := strings.Join(pairs, "&"); joined != strings.TrimSuffix(list, "&") {
		t.Fatalf("%q walked as %q", list, pairs)
	}
}

// formNaive finds the first parameter with this name.
func formNaive(list, name string) (value string, ok bool) {
	if list == "" {
		return "", false
	}
	list = strings.TrimSuffix(list, "&")
	for _, pair := range strings.Split(list, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if formUnescape(key) == name {
			return formUnescape(value), true
		}
	}
	return "", false
}

// formUnescape decodes an encoded part; an escape that is none stays as it is.
func formUnescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(c)
				i += 2
				continue
			}
		}
		if s[i] == '+' {
			out.WriteByte(' ')
			continue
		}
		out.WriteByte(s[i])
	}
	return out.String()
}
