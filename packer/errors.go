package packer

import (
	"errors"
	"strconv"
)

// ErrUndecodable is what every unreadable text is: errors.Is(err, ErrUndecodable) holds for each
// *DecodeError. On a WebSocket it is counted and otherwise ignored, as Sente does; an Ajax POST is
// answered 400.
var ErrUndecodable = errors.New("packer: not readable")

// ErrUntranslatable is a readable value that has no form in msgpack: an integer beyond 63 bits and a
// sign, which Sente's own packer refuses too, or two keys of one map or set that would be the same,
// like 1.5 and 1.5M.
var ErrUntranslatable = errors.New("packer: a value that has no form in msgpack: " +
	"an integer beyond 64 bits, or keys that become equal")

// What CheckEvent says of a readable value that may not be pushed. The texts are for the person who
// wrote the push.
var (
	ErrEventShape    = errors.New("packer: an event is [id] or [id data]")
	ErrEventID       = errors.New("packer: an event id has a namespace, like chat/message")
	ErrEventReserved = errors.New("packer: event ids in the namespace chsk are reserved")
)

// DecodeError says why and where a text is not readable. Its text is fit for a peer: it names the
// format, the reason and the byte, never the input.
type DecodeError struct {
	Format Format
	Offset int // byte of the input at which the reader gave up
	Reason string
}

// Error is "packer: edn: duplicate key at byte 17".
func (e *DecodeError) Error() string {
	return "packer: " + e.Format.String() + ": " + e.Reason + " at byte " + strconv.Itoa(e.Offset)
}

// Unwrap makes every DecodeError an ErrUndecodable.
func (e *DecodeError) Unwrap() error { return ErrUndecodable }

// fault is why a decoder stopped. The decoders return this byte rather than an error so that the
// path without faults carries no interface; it becomes a DecodeError once, at the top.
type fault uint8

const (
	fine fault = iota
	faultEnd
	faultMore
	faultDelimiter
	faultDepth
	faultUTF8
	faultChar
	faultNumber
	faultNumberLen
	faultSymbol
	faultKeyword
	faultString
	faultEscape
	faultControl
	faultCharacter
	faultOdd
	faultDuplicate
	faultNamespace
	faultTag
	faultSymbolic
	faultMeta
	faultDiscard
	faultInst
	faultUUID
	faultBase64
	faultSyntax
	faultNotSequence
	faultReference
	faultExpanded
	faultKind
	faultBigInteger
	faultMerged
	faultMoved
)

var faultText = [...]string{
	faultEnd:         "unexpected end",
	faultMore:        "more than one value",
	faultDelimiter:   "unmatched delimiter",
	faultDepth:       "nested deeper than 512",
	faultUTF8:        "not UTF-8",
	faultChar:        "invalid character in a token",
	faultNumber:      "invalid number",
	faultNumberLen:   "number longer than 4096 bytes",
	faultSymbol:      "invalid symbol",
	faultKeyword:     "invalid keyword",
	faultString:      "unterminated string",
	faultEscape:      "invalid escape",
	faultControl:     "control character in a string",
	faultCharacter:   "invalid character literal",
	faultOdd:         "map with a key but no value",
	faultDuplicate:   "duplicate key",
	faultNamespace:   "invalid namespaced map",
	faultTag:         "invalid tagged literal",
	faultSymbolic:    "invalid symbolic value",
	faultMeta:        "invalid metadata",
	faultDiscard:     "nothing to discard",
	faultInst:        "invalid #inst",
	faultUUID:        "invalid #uuid",
	faultBase64:      "invalid base64",
	faultSyntax:      "invalid syntax",
	faultNotSequence: "a message is a sequence",
	faultReference:   "reference to nothing",
	faultExpanded:    "references grow the value too much",
	faultKind:        "no value begins with this byte",
	faultBigInteger:  "an integer beyond 64 bits",
	faultMerged:      "keys that become equal",
	faultMoved:       "headers moved too often",
}

// err is the error of a fault met at byte i; nil when there is none.
func (x fault) err(f Format, i int) error {
	if x == fine {
		return nil
	}
	return &DecodeError{Format: f, Offset: i, Reason: faultText[x]}
}
