package backend

import "time"

// SetEngineWait changes how long an answer of the engine is waited for.
func (s *Server) SetEngineWait(d time.Duration) { s.engineWait = d }

// Dedupe lets tests drive the memory of pushes with a time of their own.
type Dedupe struct{ d *dedupe }

// NewDedupe makes an empty one.
func NewDedupe() Dedupe { return Dedupe{newDedupe()} }

// Claim takes a push by producer and n, or by id when n is 0.
func (d Dedupe) Claim(now time.Duration, tenant, name string, n uint64) bool {
	return d.d.claim(now, tenant, named(name, n))
}

// Release lets it come again.
func (d Dedupe) Release(tenant, name string, n uint64) { d.d.release(tenant, named(name, n)) }

// Sizes counts what is remembered: producers, ids, claims of ids.
func (d Dedupe) Sizes() (producers, ids, claims int) {
	return len(d.d.producers), len(d.d.ids), len(d.d.claims)
}

func named(name string, n uint64) once {
	if n == 0 {
		return once{id: name}
	}
	return once{producer: name, n: n}
}

// PushParser reads pushes one after the other, as a line connection does.
type PushParser struct{ p parser }

// Parse gives nil or what is wrong.
func (p *PushParser) Parse(line []byte) *Error {
	if err := p.p.read(line); err != nil {
		return err
	}
	_, err := p.p.asPush()
	return err
}
