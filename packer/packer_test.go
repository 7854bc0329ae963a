package packer_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

func TestPackers(t *testing.T) {
	var all packer.Set
	var names []string
	for f := range packer.Count {
		for _, p := range []packer.Packer{f.Packer(), f.Gzip()} {
			name := f.String()
			if p == f.Gzip() {
				name = "gzip-" + name
			}
			if p.Format() != f || p.Gzip() != (p == f.Gzip()) || p.String() != name || p >= packer.Packers {
				t.Errorf("packer %d of %v: format %v, gzip %v, name %q", p, f, p.Format(), p.Gzip(), p)
			}
			if binary := p.Gzip() || f == packer.Msgpack; p.Binary() != binary {
				t.Errorf("%v: binary %v", p, p.Binary())
			}
			if got, ok := packer.NamedPacker(name); !ok || got != p {
				t.Errorf("%q names %v, %v", name, got, ok)
			}
			if all.Has(p) {
				t.Errorf("%v has the number of another", p)
			}
			all = all.Add(p)
			names = append(names, name)
		}
	}
	if all != packer.AllPackers {
		t.Errorf("all packers are %v, not %v", all, packer.AllPackers)
	}
	for _, name := range []string{"", "gzip", "gzip-", "gzip-gzip-edn", "EDN", "edn-gzip", "unknown"} {
		if p, ok := packer.NamedPacker(name); ok {
			t.Errorf("%q names %v", name, p)
		}
	}
	list := packer.AllPackers.String()
	for _, name := range names {
		if !strings.Contains(", "+list+", ", ", "+name+", ") {
			t.Errorf("%q lacks %s", list, name)
		}
	}
	some := packer.Set(0).Add(packer.EDN.Gzip()).Add(packer.EDN.Packer())
	if got := some.String(); got != "edn, gzip-edn" || some.Has(packer.JSON.Packer()) ||
		some.Has(200) {
		t.Errorf("a set of two is %q", got)
	}
	if got := packer.Set(0).String(); got != "" {
		t.Errorf("the empty set is %q", got)
	}
}
