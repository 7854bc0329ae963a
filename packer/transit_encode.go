package packer

func (e *encoder) transitWord(k kind)               {}
func (e *encoder) transitNumber(n *number)          {}
func (e *encoder) transitSymbolic(s symbolicValue)  {}
func (e *encoder) transitStrEscape()                {}
func (e *encoder) transitName(k kind, ns, n []byte) {}
func (e *encoder) transitChar(r rune)               {}
func (e *encoder) transitInst(ms int64)             {}
func (e *encoder) transitBegin(k kind)              {}
func (e *encoder) transitEnd(k kind)                {}
func (e *encoder) transitBeginMap(fr *frame)        {}
func (e *encoder) transitKey(n int, fr *frame)      {}
func (e *encoder) transitKeyed(fr *frame)           {}
func (e *encoder) transitEndMap(fr *frame)          {}
