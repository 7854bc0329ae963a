// Package packer reads and writes the values that travel between clients, daemon and backends: the
// pair envelope of Sente's protocol, and the values in it, in the formats edn, JSON, transit and
// msgpack, each of which may travel in Sente's gzip wrapper (Gzip).
//
// It splits a client's message (ParseMessage), checks what a backend pushes (CheckEvent,
// CheckValue, Value), writes what the server sends (AppendHandshake, AppendReply, AppendBatchStart,
// ...), and turns a value of one format into another (Append):
//
//	var m packer.Message
//	err := packer.EDN.ParseMessage([]byte(`[[:chat/send {:text "hi"}] "a1b2c3"]`), &m)
//	// m.Kind = Event, m.ID = chat/send, m.Callback = "a1b2c3"
//	b, err := packer.Append(nil, packer.JSON, m.Event, packer.EDN, packer.Options{})
//	// ["chat/send",{"text":"hi"}]
//
// It does not build values: a decoder reads the text once and tells a sink what it meets, and the
// sink is an encoder that writes at once, or nothing when the text is only checked. Nothing is
// allocated on the way, beyond the growth of the caller's buffers, unless more than 32 keys are open
// at one time or a number has more than 64 digits. It knows no transport.
//
// Every function works on its arguments alone and may be called by any goroutine; a Message belongs
// to whoever parses into it. Slices returned are spans of the input or of shared constants: valid
// as long as the input is, and never to be written.
//
// # What is read
//
// edn is what tools.reader.edn reads, Sente's own reader, with its peculiarities: #:ns{} maps, N,
// M, ratios, hex, octal and radix numbers, characters, metadata, discards, ##Inf, raw control
// characters in strings, duplicate keys refused by Clojure's equality. Three things differ: unknown
// tags are kept whole, because values are passed on; what nests deeper than DepthMax is refused;
// and so is a number longer than NumberMax.
//
// JSON is RFC 8259 in UTF-8, with names that differ within an object (RFC 7493 §2.3). Lone
// surrogates in escapes are kept, as such escapes, in both formats: JavaScript strings can hold
// them.
//
// # What is lost between edn and JSON
//
// The same format in and out is a copy, byte for byte. Between formats:
//
//	edn                        JSON                     JSON read as edn
//	nil true false             null true false          the same
//	7 0x1F 010 36rZZ 5N        exact decimal digits     integer; N is lost, its effect not
//	1.5 1e5 -0.0               number, same digits      float
//	1.50M 1E+3M                number, same digits      float: M and digits beyond a double go
//	22/7                       "22/7", reduced          string (4/2 is the integer 2)
//	##Inf ##-Inf ##NaN, 1e400  "##Inf" "##-Inf" "##NaN" string
//	"text"                     "text"                   string
//	:a/b and a/b               "a/b"                    string; as name or event id :a/b
//	\a \newline                "a" "\n"                 string
//	#uuid "..."                "...", canonical         string
//	#inst "..."                RFC 3339, UTC, ms        string; years 0000 to 9999, others cut
//	[1] (1) #{1}               [1]                      vector
//	{:a 1}                     {"a":1}                  {:a 1}
//	#foo/bar v                 {"#foo/bar":v}           map with a string key
//	^meta v                    v                        metadata is lost, as printers lose it
//
// Names of JSON objects, from edn keys: strings, keywords, symbols, characters, uuids and instants
// give their text as above; numbers, nil and booleans the text of their JSON ({1 :a} is {"1":"a"});
// every other key its edn text ({[1 :b] 2} is {"[1 :b]":2}). Where that makes two names of one
// object equal, the later one gets # and its place in the map, counted from 1, behind it: {:a 1,
// "a" 2} is {"a":1,"a#2":2}.
//
// JSON names to edn keys: a name that is a legal keyword to every reader in use, and reads back as
// the same text, becomes that keyword; any other, like "a b", "a/1" or "#x", stays a string. So no
// two names become one key, and every JSON value comes back from edn as it was, except numbers
// beyond a double (1e400 is ##Inf to both readers on the other side, so it is written as that) and
// the spelling of numbers (-0 is 0, 1e5 is 1E5). With Options.StringKeys every name stays a string.
//
// # transit
//
// Read is transit-format 0.8 in its JSON and JSON-verbose forms, as transit-java reads them: every
// ground and extension type, the cache with its reset after 1936 entries, quotes, composite keys,
// tags and ~X scalars that nobody knows. The JSON in it is as strict as above. Refused are
// duplicate keys, tags with more or less than one value, codes that stand for nothing, and junk in
// scalars. Codes may make a value 16 times longer, beyond 256 KiB that are free. A message's first
// value is read, and what follows it is ignored.
//
// What is written is the JSON form, not verbose and without codes, so that it may stand anywhere
// in a message; of a value that has none, transit from transit is a copy. Readers count cached
// strings of whole messages, so a code must never be pasted.
//
// Between edn and transit nearly nothing is lost:
//
//	edn                        transit                  transit read as edn
//	0x1F 12345678901234567890  31 "~n1234..."           31 12345678901234567890N
//	4/2 1e400                  2 "~zINF"                2 ##Inf
//	^meta v                    v                        v
//	#set v, #i v, ...          ["^ ","#set",v]          map with a string key: transit means
//	                                                    something else by its own tags
//	"http://..." "AQID"        "~rhttp://..." "~bAQID"  string, base64
//	":a b" {"#a b" v}          "~:a b" ["~#a b",v]      string, map: no edn token can be that
//	#inst "9999-12-31T..."     "~m253402300800000"      years 0000 to 9999, others cut
//
// and between transit and JSON what is lost between edn and JSON.
//
// # msgpack
//
// Read is all of MessagePack, the extension types of taoensso.msgpack among it: keyword, symbol,
// char, ratio, set, arrays of numbers, UUID, instant, and map keys by reference. What is written
// holds no references, so that it may stand anywhere in a message; of a value that has none, msgpack
// from msgpack is a copy, and of any other a new one with every scalar as it was. A message's first
// value is read, and what follows it is padding.
//
//	edn                        msgpack                  msgpack read as edn
//	7 5N                       the shortest integer     7; beyond 64 bits: ErrUntranslatable
//	1.5 1.50M                  64-bit float             1.5
//	22/7                       ratio, reduced           22/7; an integer where it is one
//	[1] (1)                    array                    [1]
//	#{1} :a/b a/b \a "text"    set, keyword, ...        the same
//	#inst #uuid                instant, uuid            the same, in milliseconds
//	"\ud83d", half a pair      U+FFFD                   string
//	#foo/bar v                 {"#foo/bar" v}           map with a string key
//	"AQID"                     string; bytes            string: bytes are their base64
//	#msgpack/ext20 "AQID"      extension 20             the same
//	[1 2]                      array                    vector
//
// Arrays of numbers are read little-endian, as browsers write them; a JVM writes big-endian, and
// nothing in the bytes tells. Keys that differ in edn and not in msgpack, like 1.5 and 1.5M, are
// ErrUntranslatable. Names that no edn token can be are strings there. Keys by reference may make a
// value 16 times longer, beyond 256 KiB that are free; what grows more is refused.
package packer
