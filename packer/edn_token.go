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

// token moves over the characters of a symbol, keyword or character name and gives what it met
// besides plain ones: slashed and coloned.
func (d *ednDecoder) token() (slashed, coloned bool, f fault) {
	b, i := d.b, d.i
	for i < len(b) {
		class := ednClass[b[i]]
		if class == ednPlain {
			i++
			continue
		}
		if class >= ednEnds {
			if class == ednRefuse {
				f = faultChar
			}
			break
		}
		switch class {
		case ednSlash:
			slashed = true
		case ednColon:
			coloned = true
		case ednHigh:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				d.i = i
				return slashed, coloned, faultUTF8
			}
			if isSpace(r) {
				d.i = i
				return slashed, coloned, fine
			}
			i += n - 1
		}
		i++
	}
	d.i = i
	return slashed, coloned, f
}

// keyword reads :name or :ns/name.
func (d *ednDecoder) keyword() fault {
	d.i++
	start := d.i
	slashed, coloned, f := d.token()
	if f != fine {
		return f
	}
	name := d.b[start:d.i]
	slash := -1
	if slashed {
		slash = bytes.IndexByte(name, '/')
	}
	if len(name) == 0 && d.i == len(d.b) {
		return faultEnd
	}
	if (slashed || len(name) == 0) && !isName(name, slash) || coloned && !isColoned(name, slash) {
		return faultKeyword
	}
	d.named(kindKeyword, name, slash)
	return fine
}

// isColoned tells whether a token with colons may stand behind a keyword's own.
func isColoned(name []byte, slash int) bool {
	return name[0] != ':' && !bytes.Contains(name, doubleColon) && isName(name, slash)
}

var doubleColon = []byte("::")

// named gives a keyword or symbol to the sink, with the namespace of the map around where it has
// none.
func (d *ednDecoder) named(k kind, name []byte, slash int) {
	d.name = name
	if d.out.to == nowhere && !d.hashing {
		return
	}
	var ns []byte
	if slash > 0 {
		ns, name = name[:slash], name[slash+1:]
	}
	if d.ns != nil {
		switch {
		case slash <= 0:
			ns = d.ns
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
	slashed, coloned, f := d.token()
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
	if slashed {
		slash = bytes.IndexByte(name, '/')
	}
	if (slashed || coloned) && !isName(name, slash) {
		return 0, faultSymbol
	}
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
// them.
func (d *ednDecoder) number() fault {
	start := d.i
	for d.i < len(d.b) {
		c := d.b[d.i]
		if class := ednClass[c]; class == ednSpace || class == ednMacro || c == ':' || c == '#' {
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
