package packer

import (
	"unicode"
	"unicode/utf8"
)

// ednClass sorts bytes by what they are outside strings. Classes are bits, so that a token can be
// told what classes its bytes had; those below ednEnds stand in tokens.
var ednClass = [256]uint8{}

const (
	ednPlain   uint8 = 0  // stands in tokens, nothing to look at
	ednSlash   uint8 = 1  // /
	ednColon   uint8 = 2  // :
	ednControl uint8 = 4  // does not print; stands in tokens all the same
	ednHigh    uint8 = 8  // byte of a character beyond ASCII: white space or token
	ednEnds    uint8 = 16 // from here on a token ends, or is refused
	ednSpace   uint8 = 16 // white space as Character/isWhitespace and the comma
	ednMacro   uint8 = 32 // " ; ^ ( ) [ ] { } \ begin or end another form
	ednRefuse  uint8 = 64 // @ ` ~ may stand nowhere but in strings and characters
)

// ednBegins tells of a byte outside tokens that a value or a closing delimiter begins with it,
// whatever comes behind: of all but white space, comments, # and characters beyond ASCII.
var ednBegins = [256]bool{}

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
			ednClass[c], stringClass[c] = ednControl, strControl
		case c == 0x7F:
			ednClass[c] = ednControl
		}
	}
	setClass(ednSlash, "/")
	setClass(ednColon, ":")
	setClass(ednSpace, "\t\n\v\f\r\x1c\x1d\x1e\x1f ,")
	setClass(ednMacro, "\";^()[]{}\\")
	setClass(ednRefuse, "@`~")
	stringClass['"'], stringClass['\\'] = strQuote, strBackslash
	for c := range utf8.RuneSelf {
		ednBegins[c] = ednClass[c] != ednSpace && c != ';' && c != '#'
	}
}

func setClass(class uint8, chars string) {
	for i := range len(chars) {
		ednClass[chars[i]] = class
	}
}

// classesOf gives the classes of all bytes of text.
func classesOf(text []byte) (met uint8) {
	for _, c := range text {
		met |= ednClass[c]
	}
	return met
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
	r := rune(name[0])
	if r >= utf8.RuneSelf {
		r, _ = utf8.DecodeRune(name)
	}
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
