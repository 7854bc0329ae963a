package packer

import "strings"

// Packer is how one connection's messages are packed: a value format, and whether Sente's gzip
// wrapper is around it. Packers are small integers so that they can index tables and live in
// pointer-free records; Packers bounds them.
type Packer uint8

// Packers is the number of packers: every format, plain and in gzip. Not all numbers below it need
// to be in use.
const Packers = 2 * gzipBit

// gzipBit is set in a packer that wraps; the bits below it are the format.
const gzipBit = 4

// Packer is the packer of format f without gzip.
func (f Format) Packer() Packer { return Packer(f) }

// Gzip is the packer of format f inside the gzip wrapper.
func (f Format) Gzip() Packer { return Packer(f) | gzipBit }

// Format is the format of the values in p's messages.
func (p Packer) Format() Format { return Format(p &^ gzipBit) }

// Gzip tells whether p's messages are in the gzip wrapper.
func (p Packer) Gzip() bool { return p&gzipBit != 0 }

// Binary tells whether messages of p travel in binary WebSocket frames and
// application/octet-stream bodies.
func (p Packer) Binary() bool { return p.Gzip() || p.Format() == Msgpack }

// String is the packer's name in options, paths and queries: the format's, with "gzip-" in front of
// one that wraps.
func (p Packer) String() string {
	if p.Gzip() {
		return gzipPrefix + p.Format().String()
	}
	return p.Format().String()
}

const gzipPrefix = "gzip-"

// NamedPacker finds a packer by the name that String gives it; ok is false for any other name.
func NamedPacker(name string) (p Packer, ok bool) {
	plain, gzip := strings.CutPrefix(name, gzipPrefix)
	f, ok := Named(plain)
	if gzip {
		return f.Gzip(), ok
	}
	return f.Packer(), ok
}

// Set is a set of packers. The zero Set is empty.
type Set uint8

// AllPackers has every packer.
const AllPackers = Set(1<<Packers - 1)

// Add returns s with p in it.
func (s Set) Add(p Packer) Set { return s | 1<<p }

// Has tells whether p is in s.
func (s Set) Has(p Packer) bool { return p < Packers && s>>p&1 != 0 }

// String is the names of the packers in s, as "edn, transit, gzip-edn".
func (s Set) String() string {
	var names []string
	for p := range Packer(Packers) {
		if s.Has(p) {
			names = append(names, p.String())
		}
	}
	return strings.Join(names, ", ")
}
