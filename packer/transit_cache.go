package packer

// The cache of transit: writers replace a string that came before by a code. Reader and writer
// count alike, by the rules of transit-format ("Caching"), so the positions of the strings are all
// there is to keep: a code reads its string once more.

const (
	cacheDigits = 44                        // values of one character of a code
	cacheFirst  = '0'                       // the character of value 0
	cacheMax    = cacheDigits * cacheDigits // entries; one more empties the cache first
	cacheInline = cacheDigits               // entries that need no allocation: codes of one digit
	cacheMore   = 4 * cacheDigits           // entries that the first allocation holds
	cacheUnits  = 4                         // UTF-16 units that a string needs to be cached
)

// transitCache holds where the cached strings stand. Entry i is in at while i < cacheInline, else
// in more.
type transitCache struct {
	n    int
	at   [cacheInline]int32
	more []int32
}

// add caches the string that begins at byte i.
func (c *transitCache) add(i int) {
	if c.n == cacheMax {
		c.n, c.more = 0, c.more[:0]
	}
	if c.n < cacheInline {
		c.at[c.n] = int32(i)
	} else {
		if c.more == nil {
			c.more = make([]int32, 0, cacheMore)
		}
		c.more = append(c.more, int32(i))
	}
	c.n++
}

// find gives where the string stands that a code means.
func (c *transitCache) find(code []byte) (at int, ok bool) {
	i := 0
	for _, x := range code[1:] {
		digit := int(x) - cacheFirst
		if digit < 0 || digit >= cacheDigits {
			return 0, false
		}
		i = i*cacheDigits + digit
	}
	switch {
	case len(code) < 2 || len(code) > 3 || i >= c.n:
		return 0, false
	case i < cacheInline:
		return int(c.at[i]), true
	}
	return int(c.more[i-cacheInline]), true
}

// mapMarker is the first element of an array that is a map. It is no code.
const mapMarker = "^ "

// isCode tells whether a string is meant as a code, good or bad.
func isCode(text []byte) bool {
	return len(text) > 0 && text[0] == '^' && string(text) != mapMarker
}

// cacheable tells whether a string of so many units takes an entry: keys of any kind, keywords,
// symbols and tags. What counts is the transit text with its ~, without JSON's escapes.
func cacheable(text []byte, units int, key bool) bool {
	return units >= cacheUnits && (key || named(text))
}

// unitsOf is the length of a text in UTF-16 units, as far as cacheable cares.
func unitsOf(text []byte) (units int) {
	for _, c := range text {
		switch {
		case units >= cacheUnits:
			return units
		case c >= 0xF0: // first byte of a character beyond U+FFFF
			units += 2
		case c < 0x80 || c >= 0xC0:
			units++
		}
	}
	return units
}

func named(text []byte) bool {
	return text[0] == '~' && (text[1] == ':' || text[1] == '$' || text[1] == '#')
}

// reference reads the string that the code at start stands for. What codes stand for in all is
// limited: a megabyte of them could mean gigabytes.
func (d *transitDecoder) reference(code []byte, start int) (kind, fault) {
	var buf [128]byte
	text, f := d.recall(code, buf[:0])
	if f != fine {
		d.i = start
		return 0, f
	}
	return d.scalar(text, start)
}

// recall gives the text that a code stands for.
func (d *transitDecoder) recall(code, dst []byte) ([]byte, fault) {
	at, ok := d.cache.find(code)
	if !ok {
		return nil, faultReference
	}
	entry := jsonScanner{d.b, at}
	text, f := entry.text(dst)
	d.refs = true
	d.expanded += entry.i - at
	if d.expanded > expandedFree+expandedFactor*d.i {
		f = faultExpanded
	}
	return text, f
}
