package packer

// begin opens a list, vector or set.
func (e *encoder) begin(k kind, fr *frame) {
	if e.to != nowhere {
		e.beginTo(k, fr)
	}
}

func (e *encoder) beginTo(k kind, fr *frame) {
	e.asKey()
	fr.at, fr.n = len(e.dst), 0
	switch {
	case e.to == Msgpack:
		e.msgpackBegin(k)
	case e.to == Transit:
		e.transitBegin(k)
	case e.to == JSON || k == kindVector:
		e.put("[")
	case k == kindSet:
		e.put("#{")
	default:
		e.put("(")
	}
}

// elem comes before element n of a list, vector or set.
func (e *encoder) elem(n int, fr *frame) {
	if e.to != nowhere {
		e.elemTo(n, fr)
	}
}

func (e *encoder) elemTo(n int, fr *frame) {
	fr.n = n + 1
	switch {
	case n == 0 || e.to == Msgpack:
	case e.to == EDN:
		e.put(" ")
	default:
		e.put(",")
	}
}

func (e *encoder) end(k kind, fr *frame) {
	if e.to != nowhere {
		e.endTo(k, fr)
	}
}

func (e *encoder) endTo(k kind, fr *frame) {
	switch {
	case e.to == Msgpack:
		e.msgpackEnd(k, fr)
	case e.to == Transit:
		e.transitEnd(k)
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
	fr.at, fr.n = len(e.dst), 0
	switch e.to {
	case Transit:
		e.transitBeginMap(fr)
	case Msgpack:
		e.msgpackBeginMap()
	case JSON:
		e.put("{")
		e.names.open(&fr.names)
	default:
		e.put("{")
	}
}

// key comes before key n of a map.
func (e *encoder) key(n int, fr *frame) {
	if e.to != nowhere {
		e.keyTo(n, fr)
	}
}

func (e *encoder) keyTo(n int, fr *frame) {
	fr.n = n + 1
	switch {
	case e.to == Msgpack:
		return
	case e.to == Transit:
		e.transitKey(n, fr)
		return
	case n == 0:
	case e.to == EDN:
		e.put(", ")
	default:
		e.put(",")
	}
	fr.keyAt, fr.to = len(e.dst), e.to
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
	switch {
	case e.to == Msgpack:
	case e.to == Transit:
		e.transitKeyed(fr)
	case fr.to == JSON:
		e.jsonKey(fr)
	default:
		e.put(" ")
	}
}

// endMap closes a map.
func (e *encoder) endMap(fr *frame) {
	if e.to != nowhere {
		e.endMapTo(fr)
	}
}

func (e *encoder) endMapTo(fr *frame) {
	switch e.to {
	case Transit:
		e.transitEndMap(fr)
	case Msgpack:
		e.msgpackEndMap(fr)
	case JSON:
		e.put("}")
		e.names.close(&fr.names)
	default:
		e.put("}")
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
	case Transit:
		e.transitTag(name)
	case Msgpack:
		e.msgpackTag(name)
	}
}

func (e *encoder) endTag() {
	switch e.to {
	case JSON:
		e.put("}")
	case Transit:
		e.put("]")
	case Msgpack:
		e.msgpackEndTag()
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
