package main_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// readMsgpack reads the first value of a MessagePack text with Sente's extension types and writes
// it as edn.
func readMsgpack(message []byte) (edn string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("msgpack: %v", fault)
		}
	}()
	r := &msgpackReader{b: message, keys: &[]string{}}
	return r.value(), nil
}

// msgpackReader panics with what is wrong. keys are the map keys that references stand for.
type msgpackReader struct {
	b    []byte
	keys *[]string
}

func (r *msgpackReader) take(n int) []byte {
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *msgpackReader) uint(width int) uint64 {
	var wide [8]byte
	copy(wide[8-width:], r.take(width))
	return binary.BigEndian.Uint64(wide[:])
}

func (r *msgpackReader) value() string {
	c := r.take(1)[0]
	switch {
	case c < 0x80 || c >= 0xe0:
		return strconv.Itoa(int(int8(c)))
	case c < 0x90:
		return r.mapping(int(c & 15))
	case c < 0xa0:
		return "[" + r.elements(int(c&15)) + "]"
	case c < 0xc0:
		return r.str(int(c & 31))
	case c >= 0xd4 && c <= 0xd8:
		return r.ext(1 << (c - 0xd4))
	}
	switch c {
	case 0xc0:
		return "nil"
	case 0xc2:
		return "false"
	case 0xc3:
		return "true"
	case 0xc4, 0xc5, 0xc6:
		r.take(int(r.uint(1 << (c - 0xc4))))
		return notInEDN
	case 0xc7, 0xc8, 0xc9:
		return r.ext(int(r.uint(1 << (c - 0xc7))))
	case 0xca:
		return floatEDNText(float64(math.Float32frombits(uint32(r.uint(4)))))
	case 0xcb:
		return floatEDNText(math.Float64frombits(r.uint(8)))
	case 0xcc, 0xcd, 0xce:
		return strconv.FormatUint(r.uint(1<<(c-0xcc)), 10)
	case 0xd0, 0xd1, 0xd2, 0xd3:
		width := 1 << (c - 0xd0)
		shift := 64 - 8*width
		return strconv.FormatInt(int64(r.uint(width)<<shift)>>shift, 10)
	case 0xd9, 0xda, 0xdb:
		return r.str(int(r.uint(1 << (c - 0xd9))))
	case 0xdc, 0xdd:
		return "[" + r.elements(int(r.uint(2<<(c-0xdc)))) + "]"
	case 0xde, 0xdf:
		return r.mapping(int(r.uint(2 << (c - 0xde))))
	}
	panic(fmt.Sprintf("first byte %x, which nobody here writes", c))
}

func (r *msgpackReader) str(n int) string {
	text := r.take(n)
	if !utf8.Valid(text) {
		panic("a string that is not UTF-8")
	}
	return quoteEDN(string(text))
}

func (r *msgpackReader) elements(n int) string {
	var texts []string
	for range n {
		texts = append(texts, r.value())
	}
	return strings.Join(texts, " ")
}

// notInEDN stands for bytes. The application behind the daemon cannot answer with them in edn, so a
// map's entry with some is left out.
const notInEDN = "#not-in-edn nil"

func (r *msgpackReader) mapping(n int) string {
	var texts []string
	for range n {
		if len(r.b) > 2 && r.b[0] == 0xd4 && r.b[1] == 8 {
			texts = append(texts, (*r.keys)[r.take(3)[2]], r.value())
			continue
		}
		key := r.value()
		if (key[0] == ':' || key[0] == '"') && len(*r.keys) < 256 {
			*r.keys = append(*r.keys, key)
		}
		if value := r.value(); value != notInEDN {
			texts = append(texts, key, value)
		}
	}
	return "{" + strings.Join(texts, " ") + "}"
}

func (r *msgpackReader) ext(n int) string {
	typ := int8(r.take(1)[0])
	content := r.take(n)
	inner := &msgpackReader{b: content, keys: r.keys}
	switch typ {
	case 0:
		return ":" + string(content)
	case 1:
		return string(content)
	case 2:
		return charEDN(string(content))
	case 3:
		return inner.value() + "/" + inner.value()
	case 4:
		text := inner.value()
		return "#{" + text[1:len(text)-1] + "}"
	case 5, 6, 7: // arrays of numbers
		base := base64.StdEncoding.EncodeToString(content)
		return fmt.Sprintf("#msgpack/ext%d %s", typ, quoteEDN(base))
	case 9:
		return "#uuid " + quoteEDN(string(content))
	case -1:
		nano := binary.BigEndian.Uint32(content)
		return instEDN(time.Unix(int64(binary.BigEndian.Uint64(content[4:])), int64(nano)))
	}
	panic(fmt.Sprintf("extension type %d, which nobody here writes", typ))
}

func floatEDNText(v float64) string {
	switch {
	case math.IsNaN(v):
		return "##NaN"
	case math.IsInf(v, 1):
		return "##Inf"
	case math.IsInf(v, -1):
		return "##-Inf"
	}
	return strconv.FormatFloat(v, 'e', -1, 64)
}
