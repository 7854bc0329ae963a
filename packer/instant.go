package packer

import (
	"encoding/hex"
	"time"
)

// The two tags that every reader knows. Their content is checked as the JVM's reader checks it
// (tools.reader default_data_readers.clj), because a message with a bad one fails there as a whole.

// parseInst reads the RFC 3339-like text of #inst: everything after the year may be missing, the
// offset defaults to UTC. The result is milliseconds since 1970 in the proleptic Gregorian
// calendar.
func parseInst(b []byte) (ms int64, f fault) {
	p := instParser{b: b}
	year, month, day, hour, minute, second, millis := p.number(4), 1, 1, 0, 0, 0, 0
	if p.more('-') {
		month = p.number(2)
		if p.more('-') {
			day = p.number(2)
			if p.more('T') {
				hour = p.number(2)
				if p.more(':') {
					minute = p.number(2)
					if p.more(':') {
						second = p.number(2)
						if p.more('.') {
							millis = p.fraction()
						}
					}
				}
			}
		}
	}
	offset := p.offset()
	if p.bad || len(p.b) != 0 {
		return 0, faultInst
	}
	leap := second == 60 && minute == 59
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 || minute > 59 || second > 59 && !leap {
		return 0, faultInst
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, millis*1e6, time.UTC)
	return t.UnixMilli() - int64(offset)*60_000, fine
}

// instParser eats the text from the front; bad stays set once something did not fit.
type instParser struct {
	b   []byte
	bad bool
}

// number eats exactly n digits.
func (p *instParser) number(n int) (v int) {
	if len(p.b) < n || digitsEnd(p.b[:n], 0) != n {
		p.bad = true
		return 0
	}
	v = int(wordValue(p.b[:n]))
	p.b = p.b[n:]
	return v
}

// more eats the separator before the next field, if it is there. A dash may begin an offset
// instead: 2024-01-01:00 is January 2024, one hour west.
func (p *instParser) more(sep byte) bool {
	if p.bad || len(p.b) == 0 || p.b[0] != sep || sep == '-' && p.isOffset() {
		return false
	}
	p.b = p.b[1:]
	return true
}

// isOffset tells whether the rest is just -hh:mm.
func (p *instParser) isOffset() bool { return len(p.b) == 6 && p.b[3] == ':' }

// fraction eats one or more digits and keeps the first three.
func (p *instParser) fraction() (millis int) {
	end := digitsEnd(p.b, 0)
	if end == 0 {
		p.bad = true
	}
	for i := range 3 {
		millis *= 10
		if i < end {
			millis += int(p.b[i] - '0')
		}
	}
	p.b = p.b[end:]
	return millis
}

// offset eats Z, +hh:mm or -hh:mm, if there is one, and gives minutes east.
func (p *instParser) offset() (minutes int) {
	if p.bad || len(p.b) == 0 {
		return 0
	}
	c := p.b[0]
	p.b = p.b[1:]
	if c == 'Z' {
		return 0
	}
	h := p.number(2)
	if !p.more(':') {
		p.bad = true
	}
	m := p.number(2)
	if c != '+' && c != '-' || h > 23 || m > 59 {
		p.bad = true
	}
	if c == '-' {
		return -(h*60 + m)
	}
	return h*60 + m
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// Years that RFC 3339 can write. An offset may push an instant at the edge just out of them.
var (
	instMin = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	instMax = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() - 1
)

// appendInst appends an instant as RFC 3339 §5.6 in UTC with milliseconds:
// 2024-01-02T03:04:05.678Z.
func appendInst(dst []byte, ms int64) []byte {
	ms = min(max(ms, instMin), instMax)
	return time.UnixMilli(ms).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// parseUUID reads what java.util.UUID/fromString takes: five groups of hex digits with four dashes,
// at most 36 bytes, each group cut to its width from the right.
func parseUUID(b []byte, id *[16]byte) fault {
	const textMax = 36
	if len(b) > textMax {
		return faultUUID
	}
	var group [5]uint64
	n, digits := 0, 0
	for i, c := range b {
		switch {
		case c == '-' && digits > 0 && n < 4:
			n, digits = n+1, 0
			continue
		case c == '+' && digits == 0 && (i == 0 || b[i-1] == '-'):
			continue
		}
		v := digitValue(c)
		if v > 15 || group[n]>>59 != 0 {
			return faultUUID
		}
		group[n] = group[n]<<4 | uint64(v)
		digits++
	}
	if n != 4 || digits == 0 {
		return faultUUID
	}
	at := 0
	for i, width := range [5]int{4, 2, 2, 2, 6} {
		for j := range width {
			id[at] = byte(group[i] >> (8 * (width - 1 - j)))
			at++
		}
	}
	return fine
}

// appendUUID appends the canonical 36 characters (RFC 9562 §4).
func appendUUID(dst []byte, id *[16]byte) []byte {
	for i, c := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, c)
	}
	return dst
}
