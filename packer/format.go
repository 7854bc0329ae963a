package packer

// Format is one way to write a value as bytes. Formats are small integers so that they
// can index tables and live in pointer-free records; Count bounds them.
type Format uint8

// The formats. A new one takes the next number before Count.
const (
	EDN     Format = iota // Clojure's edn text, Sente's default packer
	JSON                  // plain JSON (RFC 8259), the mapping of the package documentation
	Transit               // transit+json (not verbose), Cognitect's transit-format 0.8
	Msgpack               // MessagePack with the extension types of taoensso.msgpack
	Count                 // the number of formats, not a format
)

var formatNames = [Count]string{EDN: "edn", JSON: "json", Transit: "transit", Msgpack: "msgpack"}

// Named finds a format by the name that String gives it; ok is false for any other name.
func Named(name string) (f Format, ok bool) {
	for i, n := range formatNames {
		if n == name {
			return Format(i), true
		}
	}
	return 0, false
}

// String is the format's name in options, queries and the backend API: "edn", "json", "transit" or
// "msgpack".
func (f Format) String() string {
	if f < Count {
		return formatNames[f]
	}
	return "unknown"
}

// Plain tells whether a value of this format means the same wherever it stands. Transit and msgpack
// may refer to keys that came before in the same message.
func (f Format) Plain() bool { return f == EDN || f == JSON }
