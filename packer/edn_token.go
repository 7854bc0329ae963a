package packer

import (
	"bytes"
	"unicode/utf8"
)

func (d *ednDecoder) digitAt(i int) bool {
	if i >= len(d.b) {
		return false
	}
	if d.b[i] < utf8.RuneSelf {
		return d.b[i]-'0' <= 9
	}
	r, _ := utf8.DecodeRune(d.b[i:])
	return isDigit(r)
}

// tokenEnd gives the end of the token that begins at i, and the classes of its bytes and of the one
// behind it. Where ednHigh is among them the end is not known.
func tokenEnd(b []byte, start int) (end int, met uint8) {
	i := uint(start) // one comparison a byte
	for ; i < uint(len(b)); i++ {
		class := ednClass[b[i]]
		met |= class
		if class >= ednEnds {
			break
		}
	}
	return int(i), met
}

// ednOdd are the classes that make a token worth a second look.
const ednOdd = ednSlash | ednColon | ednHigh | ednRefuse

// token moves over the characters of a symbol, keyword or character name and gives the classes of
// those that it met.
func (d *ednDecoder) token() (met uint8, f fault) {
	end, met := tokenEnd(d.b, d.i)
	if met&(ednHigh|ednRefuse) != 0 {
		return d.highToken()
	}
	d.i = end
	return met, fine
}

// highToken is token for one that has characters beyond ASCII, or a refused one, in it or behind it.
func (d *ednDecoder) highToken() (met uint8, f fault) {
	for d.i < len(d.b) {
		class := ednClass[d.b[d.i]]
		switch {
		case class == ednRefuse:
			return met, faultChar
		case class >= ednEnds:
			return met, fine
		case class == ednHigh:
			r, n := utf8.DecodeRune(d.b[d.i:])
			if r == utf8.RuneError && n == 1 {
				return met, faultUTF8
			}
			if isSpace(r) {
				return met, fine
			}
			d.i += n - 1
		}
		d.i++
		met |= class
	}
	return met, fine
}

// keyword reads :name or :ns/name.
func (d *ednDecoder) keyword() fault {
	d.i++
	start, slash := d.i, -1
	end, met := tokenEnd(d.b, start)
	d.i = end
	switch {
	case met&ednOdd != 0 || end == start:
		var f fault
		if slash, f = d.oddKeyword(start, met); f != fine {
			return f
		}
	case d.out.to == nowhere && d.ns.end == 0:
		if d.hashing {
			d.hash = hashBytes(d.seed, saltKeyword, d.b[start:end])
		}
		return fine
	}
	d.named(kindKeyword, d.b[start:d.i], slash)
	return fine
}

// oddKeyword looks at a keyword whose name, which begins at start, is more than plain characters, or
// nothing; met is what tokenEnd said of it. slash is where its first slash is, or -1.
func (d *ednDecoder) oddKeyword(start int, met uint8) (slash int, f fault) {
	if met&(ednHigh|ednRefuse) != 0 {
		d.i = start
		if met, f = d.highToken(); f != fine {
			return -1, f
		}
	}
	name := d.b[start:d.i]
	if len(name) == 0 && d.i == len(d.b) {
		return -1, faultEnd
	}
	slash = -1
	if met&ednSlash != 0 {
		slash = indexSlash(name)
	}
	if (slash >= 0 || len(name) == 0) && !isName(name, slash) ||
		met&ednColon != 0 && !isColoned(name, slash) {
		return -1, faultKeyword
	}
	return slash, fine
}

// isColoned tells whether a token with colons may stand behind a keyword's own.
func isColoned(name []byte, slash int) bool {
	return name[0] != ':' && !bytes.Contains(name, doubleColon) && isName(name, slash)
}

var doubleColon = []byte("::")

// named gives a keyword or symbol to the sink, with the namespace of the map around where it has
// none.
func (d *ednDecoder) named(k kind, name []byte, slash int) {
	if d.out.to == nowhere && !d.hashing {
		return
	}
	var ns []byte
	if slash > 0 {
		ns, name = name[:slash], name[slash+1:]
	}
	if d.ns.end != 0 {
		switch {
		case slash <= 0:
			ns = d.b[d.ns.start:d.ns.end]
		case len(ns) == 1 && ns[0] == '_':
			ns = nil
		}
	}
	d.hashName(k, ns, name)
	d.out.name(k, ns, name)
}

// symbol reads a symbol, or nil, true or false.
func (d *ednDecoder) symbol() (kind, fault) {
	start := d.i
	met, f := d.token()
	if f != fine {
		return 0, f
	}
	name := d.b[start:d.i]
	switch string(name) {
	case "nil":
		return d.word(kindNil), fine
	case "true":
		return d.word(kindTrue), fine
	case "false":
		return d.word(kindFalse), fine
	}
	slash := -1
	if met&ednSlash != 0 {
		slash = indexSlash(name)
	}
	if met&(ednSlash|ednColon) != 0 && !isName(name, slash) {
		return 0, faultSymbol
	}
	d.nameAt = start
	d.named(kindSymbol, name, slash)
	return kindSymbol, fine
}

// word gives nil, true or false to the sink.
func (d *ednDecoder) word(k kind) kind {
	d.hashWord(k)
	d.out.word(k)
	return k
}

// number reads a numeral: it ends where white space or any macro character begins, : and # among
// them. The common one is an integer of decimal digits.
func (d *ednDecoder) number() fault {
	b, start := d.b, d.i
	i := start
	if b[i] == '-' {
		i++
	}
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i < len(b) && ednClass[b[i]]&(ednSpace|ednMacro) == 0 ||
		b[first] == '0' && i > first+1 || i-start > NumberMax {
		return d.anyNumber()
	}
	d.i = i
	if d.hashing || d.out.to != nowhere {
		n := number{radix: 10, neg: first > start, digits: b[first:i]}
		d.hashNumber(&n)
		d.out.number(&n)
	}
	return fine
}

// anyNumber is number for every numeral.
func (d *ednDecoder) anyNumber() fault {
	start := d.i
	for d.i < len(d.b) {
		c := d.b[d.i]
		if ednClass[c]&(ednSpace|ednMacro) != 0 || c == ':' || c == '#' {
			break
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(d.b[d.i:])
			if !isSpace(r) || r == utf8.RuneError && n == 1 {
				return faultNumber
			}
			break
		}
		d.i++
	}
	var n number
	if f := parseNumber(d.b[start:d.i], &n); f != fine {
		d.i = start
		return f
	}
	d.hashNumber(&n)
	d.out.number(&n)
	return fine
}
