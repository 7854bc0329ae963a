package engine

import (
	"github.com/chskd/chskd/packer"
)

// simGzips are the loops' memory for gzip, and simClientGzip that of all clients: it is used again
// by every schedule, for to take a megabyte anew costs more than a schedule.
var (
	simGzips      = [...]*packer.Gzip{new(packer.Gzip), new(packer.Gzip), new(packer.Gzip)}
	simClientGzip packer.Gzip
)

// simPack is a message, given as edn, as a client with packer p sends it.
func simPack(t simT, p packer.Packer, edn string) string {
	t.Helper()
	b, err := packer.Append(nil, p.Format(), []byte(edn), packer.EDN, packer.Options{})
	if err != nil {
		t.Fatalf("%s as %v: %v", edn, p, err)
	}
	if p.Gzip() {
		b = simClientGzip.Pack(nil, b)
	}
	return string(b)
}

// simUnpack is a message to a client with packer p as JSON.
func simUnpack(t simT, p packer.Packer, packed string) string {
	t.Helper()
	b := []byte(packed)
	if p.Gzip() {
		var err error
		if b, err = simClientGzip.Unpack(b, 1<<30); err != nil {
			t.Fatalf("%v: %.60q: %v", p, packed, err)
		}
	}
	out, err := packer.Append(nil, packer.JSON, b, p.Format(), packer.Options{})
	if err != nil {
		t.Fatalf("%v: %.60q: %v", p, b, err)
	}
	return string(out)
}
