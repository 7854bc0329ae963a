package longpoll

// The slab of Posts, and what leaves it when.

func (p *Posts) id(at uint32) uint64 { return uint64(at) | uint64(p.posts[at].life)<<32 }

func (p *Posts) get(slot uint64) (uint32, *post) {
	at := uint32(slot)
	if at == 0 || int(at) >= len(p.posts) || p.posts[at].life != uint32(slot>>32) {
		return 0, nil
	}
	return at, &p.posts[at]
}

// add takes a free slot. The refs of its last use are kept as room.
func (p *Posts) add() uint32 {
	at := p.free
	if at != 0 {
		p.free = p.posts[at].after
	} else {
		at = uint32(len(p.posts))
		p.posts = append(p.posts, post{})
	}
	p.nextLife++
	if p.nextLife == 0 {
		p.nextLife = 1
	}
	p.posts[at] = post{life: p.nextLife, refs: p.posts[at].refs[:0]}
	p.held++
	for p.held > p.max && p.oldest != 0 {
		p.forget(p.oldest)
	}
	return at
}

// queue puts an answered send behind the others that are answered.
func (p *Posts) queue(at uint32) {
	p.posts[at].before = p.newest
	if p.newest != 0 {
		p.posts[p.newest].after = at
	} else {
		p.oldest = at
	}
	p.newest = at
}

// expire forgets the answered sends whose replay time is over. One that still
// waits is looked at again when it is answered.
func (p *Posts) expire(now uint32) {
	for {
		id, due := p.replay.Pop(now)
		if !due {
			return
		}
		if at, q := p.get(id); q != nil && q.done {
			p.forget(at)
		}
	}
}

// forget frees an answered send and releases its answer.
func (p *Posts) forget(at uint32) {
	q := &p.posts[at]
	if q.before != 0 {
		p.posts[q.before].after = q.after
	} else {
		p.oldest = q.after
	}
	if q.after != 0 {
		p.posts[q.after].before = q.before
	} else {
		p.newest = q.before
	}
	if p.byKey[q.key] == at {
		delete(p.byKey, q.key)
	}
	if q.body != nil {
		q.body.Release()
	}
	*q = post{after: p.free, refs: q.refs[:0]}
	p.free = at
	p.held--
}
