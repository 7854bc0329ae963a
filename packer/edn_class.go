package packer

import (
	"unicode"
	"unicode/utf8"
)

// ednClass sorts bytes by what they are outside strings. Values below ednEnds stand in tokens.
var ednClass = [256]uint8{}

const (
	ednPlain  uint8 = iota // stands in tokens, nothing to look at
	ednSlash               // /
	ednColon               // :
	ednHigh                // first or later byte of a character beyond ASCII: white space or token
	ednEnds                // from here on a token ends, or is refused
	ednSpace               // white space as Character/isWhitespace and the comma
	ednMacro               // " ; ^ ( ) [ ] { } \ begin or end another form
	ednRefuse              // @ ` ~ may stand nowhere but in strings and characters
)

// stringClass sorts bytes by what they are inside a string: 0 plain, else to be looked at.
// EDN takes every control character raw, JSON none.
var stringClass = [256]uint8{}

const (
	strPlain uint8 = iota
	strControl
	strHigh
	strQuote
	strBackslash
)

func init() {
	for c := range ednClass {
		switch {
		case c >= utf8.RuneSelf:
			ednClass[c], stringClass[c] = ednHigh, strHigh
		case c < ' ':
			stringClass[c] = strControl
		}
	}
	setClass(ednSlash, "/")
	setClass(ednColon, ":")
	setClass(ednSpace, "\t\n\v\f\r\x1c\x1d\x1e\x1f ,")
	setClass(ednMacro, "\";^()[]{}\\")
	setClass(ednRefuse, "@`~")
	stringClass['"'], stringClass['\\'] = strQuote, strBackslash
}

func setClass(class uint8, chars string) {
	for i := range len(chars) {
		ednClass[chars[i]] = class
	}
}

// isSpace is Character/isWhitespace for a character beyond ASCII: separators except the
// no-break spaces. In particular U+2028 ends a token and U+00A0 does not.
func isSpace(r rune) bool {
	switch r {
	case 0xA0, 0x2007, 0x202F:
		return false
	}
	return unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp)
}

// isDigit is Character/isDigit for one UTF-16 unit, as the reader asks it: digits of other scripts
// begin a numeral, which is then refused; those beyond U+FFFF are no digits to it.
func isDigit(r rune) bool { return r <= 0xFFFF && unicode.IsDigit(r) }

// isName tells whether s, the text after a colon or a bare symbol, is a legal token by the reader's
// parse-symbol, where slash is the index of its first slash or -1. The token's characters are
// checked elsewhere.
func isName(s []byte, slash int) bool {
	if len(s) == 0 || s[len(s)-1] == ':' || s[0] == ':' && len(s) > 1 && s[1] == ':' {
		return false
	}
	switch {
	case slash < 0, len(s) == 1:
		return true
	case slash == 0, slash == len(s)-1, s[slash-1] == ':':
		return false
	}
	name := s[slash+1:]
	if len(name) == 1 && (name[0] == '/' || name[0] >= '1' && name[0] <= '9') {
		return true // a digit alone: names like int/1 since tools.reader 1.5
	}
	r, _ := utf8.DecodeRune(name)
	return !isDigit(r) && indexSlash(name) < 0
}

func indexSlash(s []byte) int {
	for i, c := range s {
		if c == '/' {
			return i
		}
	}
	return -1
}
