package httpmin_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chskd/chskd/httpmin"
)

func TestParam(t *testing.T) {
	for _, c := range []struct {
		name, in, param, want string
		ok                    bool
	}{
		{"first", "a=1&b=2", "a", "1", true},
		{"second", "a=1&b=2", "b", "2", true},
		{"absent", "a=1&b=2", "c", "", false},
		{"empty list", "", "a", "", false},
		{"empty value", "a=&b=2", "a", "", true},
		{"no equals sign", "b&a", "a", "", true},
		{"of two the first", "a=1&a=2", "a", "1", true},
		{"prefix of another", "ab=1&a=2", "a", "2", true},
		{"longer than another", "a=1&ab=2", "ab", "2", true},
		{"empty pairs", "&&a=1&&", "a", "1", true},
		{"no name", "=1&a=2", "", "1", true},
		{"equals sign in value", "a=b=c", "a", "b=c", true},
		{"plus is a space", "a=b+c", "a", "b c", true},
		{"%20 is a space", "a=b%20c", "a", "b c", true},
		{"%2B is a plus", "a=b%2Bc%2bd", "a", "b+c+d", true},
		{"%26 and %3D do not separate", "a=b%26c%3Dd&e=f", "a", "b&c=d", true},
		{"semicolon does not separate", "a=b;c=d", "a", "b;c=d", true},
		{"UTF-8", "a=%C3%A9\xc3\xa9", "a", "éé", true},
		{"NUL", "a=%00", "a", "\x00", true},
		{"decoded once", "a=%2541", "a", "%41", true},
		{"bad escape", "a=%zz%4g%g4", "a", "%zz%4g%g4", true},
		{"half an escape", "a=%4", "a", "%4", true},
		{"percent alone", "a=%", "a", "%", true},
		{"percent before escape", "a=%%41", "a", "%A", true},
		{"half an escape before the next pair", "a=%4&1=b", "a", "%4", true},
		{"encoded name", "handshake%3F=1", "handshake?", "1", true},
		{"encoded name, lower case", "handshake%3f=1", "handshake?", "1", true},
		{"raw name", "handshake?=1", "handshake?", "1", true},
		{"needlessly encoded name", "%63lient-id=x", "client-id", "x", true},
		{"name with plus", "a+b=1", "a b", "1", true},
		{"name with bad escape", "a%=1", "a%", "1", true},
	} {
		t.Run("URL standard §5.1 "+c.name, func(t *testing.T) {
			scratch := []byte("kept")
			value, rest, ok := httpmin.Param([]byte(c.in), c.param, scratch)
			if string(value) != c.want || ok != c.ok || ok != (value != nil) {
				t.Errorf("%q, %v (nil %v); want %q, %v", value, ok, value == nil, c.want, c.ok)
			}
			if string(rest) != "kept"+c.want {
				t.Errorf("scratch became %q", rest)
			}
			if got := httpmin.HasParam([]byte(c.in), c.param); got != c.ok {
				t.Errorf("HasParam says %v", got)
			}
			if value, _, ok := httpmin.Param([]byte(c.in), c.param, nil); ok && value == nil {
				t.Error("present, but nil without scratch")
			}
		})
	}
}

// Values found with one scratch stay.
func TestParamScratch(t *testing.T) {
	in := []byte("a=%31&b=%32&c=%33")
	scratch := make([]byte, 0, 2) // too small on purpose: it grows under way
	a, scratch, _ := httpmin.Param(in, "a", scratch)
	b, scratch, _ := httpmin.Param(in, "b", scratch)
	missing, scratch, _ := httpmin.Param(in, "x", scratch)
	c, _, _ := httpmin.Param(in, "c", scratch)
	if string(a)+string(b)+string(c) != "123" || missing != nil {
		t.Errorf("%q %q %q %q", a, b, c, missing)
	}
	if grown := append(a, 'X'); string(b) != "2" || string(grown) != "1X" {
		t.Errorf("appending to one value wrote into the next: %q", b)
	}
}

// The pairs of a list, with what is between the separators as it came.
func TestNextParam(t *testing.T) {
	list := []byte("a=1&b&=2&&c%3D=d=+e")
	var got []string
	for len(list) > 0 {
		var name, value []byte
		name, value, list = httpmin.NextParam(list)
		if value == nil {
			value = []byte("nil")
		}
		got = append(got, string(name)+":"+string(value))
	}
	if all := strings.Join(got, " "); all != "a:1 b:nil :2 :nil c%3D:d=+e" {
		t.Errorf("URL standard §5.1: %s", all)
	}
}

// Whatever a standard encoder writes comes back.
func TestParamRoundTrip(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	// PathEscape writes a space as %20, and leaves two characters that mean
	// something in a form.
	percent := strings.NewReplacer("&", "%26", "+", "%2B").Replace(url.PathEscape(string(every)))
	for _, encoded := range []string{url.QueryEscape(string(every)), percent} {
		value, _, ok := httpmin.Param([]byte("x=1&ppstr="+encoded+"&y=2"), "ppstr", nil)
		if !ok || string(value) != string(every) {
			t.Errorf("%q\n read as %q", encoded, value)
		}
	}
}

func TestHeadMedia(t *testing.T) {
	for _, c := range []struct {
		contentType  string
		form, octets bool
	}{
		{"application/x-www-form-urlencoded", true, false},
		{"application/x-www-form-urlencoded;charset=UTF-8", true, false},
		{"Application/X-WWW-Form-URLEncoded ; a=b", true, false},
		{"application/x-www-form-urlencodedx", false, false},
		{"application/octet-stream", false, true},
		{"APPLICATION/octet-stream; a=application/x-www-form-urlencoded", false, true},
		{"application/octet", false, false},
		{"text/plain; application/x-www-form-urlencoded", false, false},
		{"", false, false},
	} {
		h := httpmin.Head{ContentType: []byte(c.contentType)}
		if h.Form() != c.form || h.Octets() != c.octets {
			t.Errorf("RFC 9110 §8.3.1 %q: form %v, octets %v", c.contentType, h.Form(), h.Octets())
		}
	}
	if h := new(httpmin.Head); h.Form() || h.Octets() {
		t.Error("no Content-Type is one")
	}
}

func TestParamAllocs(t *testing.T) {
	in := []byte("udt=1795263199470&client-id=35cef210-c2fc-40b4-8542-8300a4a31f8e&handshake%3F=1")
	scratch := make([]byte, 0, 128)
	n := testing.AllocsPerRun(100, func() {
		if _, _, ok := httpmin.Param(in, "client-id", scratch); !ok {
			panic("client-id is missing")
		}
		if !httpmin.HasParam(in, "handshake?") {
			panic("handshake? is missing")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
