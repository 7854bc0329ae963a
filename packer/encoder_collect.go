package packer

// begin opens a list, vector or set.
func (e *encoder) begin(k kind) {
	if e.to != nowhere {
		e.beginTo(k)
	}
}

func (e *encoder) beginTo(k kind) {
	e.asKey()
	switch {
	case e.to == JSON || k == kindVector:
		e.put("[")
	case k == kindSet:
		e.put("#{")
	default:
		e.put("(")
	}
}

// elem comes before element n of a list, vector or set.
func (e *encoder) elem(n int) {
	if e.to != nowhere {
		e.elemTo(n)
	}
}

func (e *encoder) elemTo(n int) {
	switch {
	case n == 0:
	case e.to == EDN:
		e.put(" ")
	default:
		e.put(",")
	}
}

func (e *encoder) end(k kind) {
	if e.to != nowhere {
		e.endTo(k)
	}
}

func (e *encoder) endTo(k kind) {
	switch {
	case e.to == JSON || k == kindVector:
		e.put("]")
	case k == kindSet:
		e.put("}")
	default:
		e.put(")")
	}
}

func (e *encoder) beginMap(fr *frame) {
	if e.to != nowhere {
		e.beginMapTo(fr)
	}
}

func (e *encoder) beginMapTo(fr *frame) {
	e.asKey()
	e.put("{")
	if e.to == JSON {
		e.names.open(&fr.names)
	}
}

// key comes before key n of a map.
func (e *encoder) key(n int, fr *frame) {
	if e.to != nowhere {
		e.keyTo(n, fr)
	}
}

func (e *encoder) keyTo(n int, fr *frame) {
	switch {
	case n == 0:
	case e.to == EDN:
		e.put(", ")
	default:
		e.put(",")
	}
	fr.keys, fr.keyAt, fr.to = n+1, len(e.dst), e.to
	e.inKey = true
}

// keyed comes between a key and its value.
func (e *encoder) keyed(fr *frame) {
	if e.to != nowhere {
		e.keyedTo(fr)
	}
}

func (e *encoder) keyedTo(fr *frame) {
	e.inKey = false
	if fr.to == JSON {
		e.jsonKey(fr)
		return
	}
	e.put(" ")
}

// endMap closes a map.
func (e *encoder) endMap(fr *frame) {
	if e.to != nowhere {
		e.endMapTo(fr)
	}
}

func (e *encoder) endMapTo(fr *frame) {
	e.put("}")
	if e.to == JSON {
		e.names.close(&fr.names)
	}
}

// tag opens a tagged value; what it tags follows.
func (e *encoder) tag(name []byte) {
	if e.to == nowhere {
		return
	}
	e.asKey()
	switch e.to {
	case EDN:
		e.put("#")
		e.dst = append(e.dst, name...)
		e.put(" ")
	case JSON:
		e.put(`{"#`)
		e.dst = appendJSONText(e.dst, name)
		e.put(`":`)
	}
}

func (e *encoder) endTag() {
	if e.to == JSON {
		e.put("}")
	}
}

// asKey is called by what is no scalar. As a key of a JSON object it is written as edn text, which
// jsonKey then makes a string.
func (e *encoder) asKey() {
	if e.inKey {
		e.inKey = false
		if e.to == JSON {
			e.to = EDN
		}
	}
}
