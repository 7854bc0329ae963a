package values_test

import (
	"testing"

	"github.com/chskd/chskd/bench/rivals/values"
	"github.com/chskd/chskd/packer"
)

var events = values.Events()

// measure runs op, which must not fail, as a benchmark over size bytes of input.
func measure(b *testing.B, name string, size int, op func() error) {
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			if err := op(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Scan is what chskd does with a value that it only passes on: every clause of the grammar is
// checked, equal keys included, and nothing is built.
func BenchmarkScan(b *testing.B) {
	for f := range packer.Count {
		for _, e := range events {
			in := e.In[f]
			measure(b, f.String()+"/size="+e.Name, len(in), func() error {
				_, err := f.CheckEvent(in)
				return err
			})
		}
	}
}

// Transcode is the way of an event from one format into another: decoding and encoding in one.
func BenchmarkTranscode(b *testing.B) {
	for from := range packer.Count {
		for to := range packer.Count {
			for _, e := range events {
				in := e.In[from]
				var dst []byte
				measure(b, from.String()+"-"+to.String()+"/size="+e.Name, len(in), func() (err error) {
					dst, err = packer.Append(dst[:0], to, in, from, packer.Options{Event: true})
					return err
				})
			}
		}
	}
}

// Pack and Unpack are what a gzip packer adds to the figures of its format: around and out of the
// wrapper. Short messages are wrapped as they are.
func BenchmarkPack(b *testing.B) {
	var g packer.Gzip
	for f := range packer.Count {
		for _, e := range events {
			in := e.In[f]
			var dst []byte
			measure(b, f.Gzip().String()+"/size="+e.Name, len(in), func() error {
				dst = g.Pack(dst[:0], in)
				return nil
			})
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	var g packer.Gzip
	for f := range packer.Count {
		for _, e := range events {
			in := g.Pack(nil, e.In[f])
			measure(b, f.Gzip().String()+"/size="+e.Name, len(e.In[f]), func() error {
				_, err := g.Unpack(in, 1<<20)
				return err
			})
		}
	}
}

// TranscodeGzip shows that the parts add up: out of the wrapper, into another format, and around it.
func BenchmarkTranscodeGzip(b *testing.B) {
	var g packer.Gzip
	for _, pair := range [][2]packer.Packer{
		{packer.EDN.Packer(), packer.EDN.Gzip()},
		{packer.EDN.Gzip(), packer.Msgpack.Packer()},
		{packer.EDN.Gzip(), packer.Msgpack.Gzip()},
	} {
		from, to := pair[0], pair[1]
		for _, e := range events {
			in := e.In[from.Format()]
			size := len(in)
			if from.Gzip() {
				in = g.Pack(nil, in)
			}
			var value, dst []byte
			measure(b, from.String()+"-"+to.String()+"/size="+e.Name, size, func() (err error) {
				src := in
				if from.Gzip() {
					if src, err = g.Unpack(in, 1<<20); err != nil {
						return err
					}
				}
				value, err = packer.Append(value[:0], to.Format(), src, from.Format(), packer.Options{})
				if to.Gzip() {
					dst = g.Pack(dst[:0], value)
				}
				return err
			})
		}
	}
}

// The same bytes as the msgpack rivals read: names are strings.
func BenchmarkPlainMsgpack(b *testing.B) {
	for _, e := range events {
		measure(b, "scan/size="+e.Name, len(e.Plain), func() error {
			return packer.Msgpack.CheckValue(e.Plain)
		})
		var dst []byte
		measure(b, "to-json/size="+e.Name, len(e.Plain), func() (err error) {
			dst, err = packer.Append(dst[:0], packer.JSON, e.Plain, packer.Msgpack, packer.Options{})
			return err
		})
	}
}
