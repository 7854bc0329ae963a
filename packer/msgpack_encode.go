package packer

func (e *encoder) msgpackWord(k kind)               {}
func (e *encoder) msgpackNumber(n *number)          {}
func (e *encoder) msgpackSymbolic(s symbolicValue)  {}
func (e *encoder) msgpackStr(text []byte)           {}
func (e *encoder) msgpackStrBegin() (at int)        { return 0 }
func (e *encoder) msgpackStrEnd()                   {}
func (e *encoder) msgpackName(k kind, ns, n []byte) {}
func (e *encoder) msgpackChar(r rune)               {}
func (e *encoder) msgpackInst(ms int64)             {}
func (e *encoder) msgpackUUID(id *[16]byte)         {}
func (e *encoder) msgpackBytes(b []byte)            {}
func (e *encoder) msgpackBegin(k kind)              {}
func (e *encoder) msgpackEnd(k kind, fr *frame)     {}
func (e *encoder) msgpackBeginMap()                 {}
func (e *encoder) msgpackEndMap(fr *frame)          {}
func (e *encoder) msgpackTag(name []byte)           {}

func appendMsgpackArray(dst []byte, n int) []byte { return dst }
func appendMsgpackInt(dst []byte, v int64) []byte { return dst }
