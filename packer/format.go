package packer

// Format is one way to write a value as bytes. Formats are small integers so that they
// can index tables and live in pointer-free records; Count bounds them.
type Format uint8

// The formats. A new one takes the next number before Count.
const (
	EDN   Format = iota // Clojure's edn text, Sente's default packer
	JSON                // plain JSON (RFC 8259), the mapping of the package documentation
	Count               // the number of formats, not a format
)

var formatNames = [Count]string{EDN: "edn", JSON: "json"}

// Named finds a format by the name that String gives it; ok is false for any other name.
func Named(name string) (f Format, ok bool) {
	for i, n := range formatNames {
		if n == name {
			return Format(i), true
		}
	}
	return 0, false
}

// String is the format's name in options, queries and the backend API: "edn" or "json".
func (f Format) String() string {
	if f < Count {
		return formatNames[f]
	}
	return "unknown"
}

// Binary tells whether messages of this format travel in binary WebSocket frames and
// application/octet-stream bodies. False for every format so far: both are UTF-8 text.
func (f Format) Binary() bool { return false }
