package values_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/bytedance/sonic"
	"github.com/tinylib/msgp/msgp"
	"github.com/vmihailenco/msgpack/v5"
	"olympos.io/encoding/edn"

	"github.com/chskd/chskd/bench/rivals/values"
	"github.com/chskd/chskd/packer"
)

// rival is a library: how it reads an event into a tree, and writes it from there.
type rival struct {
	name   string
	in     func(e *values.Event) []byte
	decode func(in []byte) (any, error)
	encode func(tree any) ([]byte, error)
}

var rivals = []rival{
	{"encoding-json", inJSON, into(json.Unmarshal), json.Marshal},
	{"sonic", inJSON, into(sonic.Unmarshal), sonic.Marshal},
	{"olympos-edn", inEDN, into(edn.Unmarshal), edn.Marshal},
	{"vmihailenco-msgpack", inPlain, into(msgpack.Unmarshal), msgpack.Marshal},
	{"tinylib-msgp", inPlain, decodeMsgp, encodeMsgp},
}

func inJSON(e *values.Event) []byte  { return e.In[packer.JSON] }
func inEDN(e *values.Event) []byte   { return e.In[packer.EDN] }
func inPlain(e *values.Event) []byte { return e.Plain }

func into(unmarshal func([]byte, any) error) func([]byte) (any, error) {
	return func(in []byte) (tree any, err error) {
		err = unmarshal(in, &tree)
		return tree, err
	}
}

func decodeMsgp(in []byte) (any, error) {
	tree, _, err := msgp.ReadIntfBytes(in)
	return tree, err
}

// encodeMsgp writes to a buffer that it keeps, as its users do.
func encodeMsgp(tree any) (out []byte, err error) {
	kept, err = msgp.AppendIntf(kept[:0], tree)
	return kept, err
}

var kept []byte

// RivalDecode builds a tree of maps, slices and scalars.
func BenchmarkRivalDecode(b *testing.B) {
	for _, r := range rivals {
		for _, e := range events {
			in := r.in(&e)
			measure(b, r.name+"/size="+e.Name, len(in), func() error {
				_, err := r.decode(in)
				return err
			})
		}
	}
}

// RivalEncode writes such a tree.
func BenchmarkRivalEncode(b *testing.B) {
	for _, r := range rivals {
		for _, e := range events {
			in := r.in(&e)
			tree, err := r.decode(in)
			if err != nil {
				b.Fatal(err)
			}
			measure(b, r.name+"/size="+e.Name, len(in), func() error {
				_, err := r.encode(tree)
				return err
			})
		}
	}
}

var errInvalid = errors.New("not valid")

func check(ok bool) error {
	if !ok {
		return errInvalid
	}
	return nil
}

// RivalScan builds nothing either. None of these sees equal keys; sonic and msgp do not look at
// UTF-8, and msgp only at lengths.
func BenchmarkRivalScan(b *testing.B) {
	for _, e := range events {
		in := e.In[packer.JSON]
		measure(b, "encoding-json/size="+e.Name, len(in), func() error {
			return check(json.Valid(in))
		})
		measure(b, "sonic/size="+e.Name, len(in), func() error {
			return check(sonic.Valid(in))
		})
		measure(b, "tinylib-msgp/size="+e.Name, len(e.Plain), func() error {
			_, err := msgp.Skip(e.Plain)
			return err
		})
	}
}

// RivalTranscode is the one library here that goes from one format into another without a tree.
func BenchmarkRivalTranscode(b *testing.B) {
	for _, e := range events {
		var out bytes.Buffer
		measure(b, "tinylib-msgp-to-json/size="+e.Name, len(e.Plain), func() error {
			out.Reset()
			_, err := msgp.UnmarshalAsJSON(&out, e.Plain)
			return err
		})
	}
}

// A yardstick that measures something else is none: each rival must read what chskd wrote, and chskd
// what the rival writes of it.
func TestRivalsReadTheSameEvents(t *testing.T) {
	formats := map[string]packer.Format{
		"olympos-edn": packer.EDN, "vmihailenco-msgpack": packer.Msgpack, "tinylib-msgp": packer.Msgpack,
		"encoding-json": packer.JSON, "sonic": packer.JSON,
	}
	for _, r := range rivals {
		for _, e := range events {
			tree, err := r.decode(r.in(&e))
			if err != nil {
				t.Errorf("%s does not read %s: %v", r.name, e.Name, err)
				continue
			}
			out, err := r.encode(tree)
			if err != nil {
				t.Errorf("%s does not write %s: %v", r.name, e.Name, err)
				continue
			}
			if err := formats[r.name].CheckValue(out); err != nil {
				t.Errorf("%s writes of %s what is not readable: %v", r.name, e.Name, err)
			}
			if n := len(r.in(&e)); len(out) < n*8/10 || len(out) > n*12/10 {
				t.Errorf("%s: %s was %d bytes and is %d", r.name, e.Name, n, len(out))
			}
		}
	}
}
