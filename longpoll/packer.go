package longpoll

// Packer is the packer that a send came in, and its answer goes in; ok is false when
// the send is forgotten.
func (p *Posts) Packer(slot uint64) (packer uint8, ok bool) {
	_, q := p.get(slot)
	if q == nil {
		return 0, false
	}
	return q.packer, true
}
