package backend

import "strconv"

// What each op of the line dialect does. A function reads the rest of the request from the parser,
// gives what is wrong with it, or does it; the answer comes later unless it is known at once.

// push hands a push to the engine. One that nobody hears of costs nothing but its strings: it needs
// no memory of its own until it is answered.
func (l *lineConn) push(number int) *Error {
	p := &l.parser
	const takes = pushFields | 1<<fOp | 1<<fRef | 1<<fCount
	if p.isOdd || p.has&^takes != 0 {
		return p.only("push", takes)
	}
	count, err := p.boolean(fCount)
	if err != nil {
		return err
	}
	ref := p.raw[fRef]
	if count && ref == nil {
		return bad("missing_field", `"count" asks for an answer: "ref" must be given with it`)
	}
	push, err := p.asPush()
	if err != nil {
		return err
	}
	size := max(len(push.Event), pushSize)
	if !l.waitBudget(size) {
		return nil
	}
	push.More = true
	named := p.once.given()
	if named {
		l.s.naming.Lock()
		defer l.s.naming.Unlock()
		if !l.s.claim(push.Tenant, p.once) {
			l.s.budget.give(size)
			l.result(func(out []byte) []byte {
				return append(out, `,"status":"ok","duplicate":true`...)
			})
			return nil
		}
	}
	if ref == nil && !named && size == pushSize {
		l.open.Add(1)
		l.s.engine.Push(push, l.done)
		l.handed()
		return nil
	}
	r := l.begin(number)
	r.count, r.size, r.tenant, r.once = count, size, push.Tenant, p.once
	l.s.engine.Push(push, r.pushed)
	l.handed()
	return nil
}

// pushed is the engine's answer to a push that only wants to hear of a failure.
func (l *lineConn) pushed(_ int, err error) {
	l.s.budget.give(pushSize)
	if err != nil {
		l.fail(nil, 0, engineError(err))
	}
	l.leaveOpen()
}

func (l *lineConn) reply(number int) *Error {
	reply, err := l.parser.asReply()
	if err != nil {
		return err
	}
	reply.More = true
	l.s.engine.Reply(&reply, l.begin(number).replied)
	l.handed()
	return nil
}

func (l *lineConn) close(number int) *Error {
	c, err := l.parser.asClose()
	if err != nil {
		return err
	}
	l.s.engine.Close(&c, l.begin(number).closed)
	return nil
}

func (l *lineConn) join(number int) *Error {
	m, err := l.parser.asMembership()
	if err != nil {
		return err
	}
	l.s.engine.Join(&m, l.begin(number).joined)
	return nil
}

func (l *lineConn) leave(number int) *Error {
	m, err := l.parser.asMembership()
	if err != nil {
		return err
	}
	l.s.engine.Leave(&m, l.begin(number).left)
	return nil
}

// connected waits for its answer, which may be large: only one of them is under way at a time.
func (l *lineConn) connected(int) *Error {
	p := &l.parser
	if p.raw[fUID] != nil {
		if p.raw[fAfter] != nil || p.raw[fLimit] != nil || p.raw[fTopic] != nil {
			return bad("conflict", oneUser)
		}
		u, err := p.user()
		if err != nil {
			return err
		}
		a, err := l.s.user(l.ctx, u.tenant, u.uid, u.nilUID)
		if err == nil {
			l.resultObject(encode(a))
		}
		return err
	}
	q, err := p.asPage()
	if err != nil {
		return err
	}
	a, err := l.s.page(l.ctx, q)
	if err == nil {
		l.resultObject(encode(a))
	}
	return err
}

func (l *lineConn) stats(int) *Error {
	l.resultObject(encode(l.s.readStats()))
	return nil
}

// ping does nothing, and says so when asked: everything before it was read.
func (l *lineConn) ping(int) *Error {
	l.resultOK()
	return nil
}

func (l *lineConn) ack(int) *Error {
	a, err := l.parser.asAck()
	if err == nil {
		err = l.s.hub.ack(a.epoch, a.consumer, a.seq)
	}
	if err == nil {
		l.resultOK()
	}
	return err
}

// subscribe makes the connection a consumer: from now on its writer writes the stream as well. The
// result comes first, then the stream's hello.
func (l *lineConn) subscribe(int) *Error {
	sub, err := l.parser.asSubscription()
	if err != nil {
		return err
	}
	if l.subscribed {
		return bad("bad_request",
			"this connection is subscribed already; open another one for a second stream")
	}
	c, err := l.s.hub.subscribe(sub)
	if err != nil {
		return err
	}
	l.subscribed = true
	l.result(func(out []byte) []byte {
		out = appendText(append(out, `,"status":"ok","epoch":`...), l.s.hub.epoch)
		return appendText(append(out, `,"consumer":`...), c.id)
	})
	l.mu.Lock()
	l.consumer = c
	l.mu.Unlock()
	l.wakeWriter()
	return nil
}

func (l *lineConn) resultOK() {
	l.result(func(out []byte) []byte { return append(out, `,"status":"ok"`...) })
}

// resultObject answers with the members of an object.
func (l *lineConn) resultObject(object []byte) {
	l.result(func(out []byte) []byte {
		out = append(out, ',')
		return append(out, object[1:len(object)-1]...)
	})
}

// result answers a request that is done, when it wants to know.
func (l *lineConn) result(more func(out []byte) []byte) {
	ref := l.parser.raw[fRef]
	if ref == nil {
		return
	}
	l.tell(func(out []byte) []byte {
		return append(more(appendResult(out, ref)), "}\n"...)
	})
}

// fail answers a request that cannot be done: with its ref, or else with the number of its line.
func (l *lineConn) fail(ref []byte, number int, err *Error) {
	l.tell(func(out []byte) []byte { return appendFailure(out, ref, number, err) })
}

// tell appends to the lines for the peer.
func (l *lineConn) tell(line func(out []byte) []byte) {
	l.mu.Lock()
	l.out = line(l.out)
	l.size.Store(int64(len(l.out)))
	l.mu.Unlock()
	l.wakeWriter()
}

func appendResult(out, ref []byte) []byte {
	return append(append(out, `{"type":"result","ref":`...), ref...)
}

// appendFailure appends an error's line.
func appendFailure(out, ref []byte, number int, err *Error) []byte {
	out = append(out, `{"type":"error"`...)
	switch {
	case len(ref) > 0:
		out = append(append(out, `,"ref":`...), ref...)
	case number > 0:
		out = strconv.AppendInt(append(out, `,"line":`...), int64(number), 10)
	}
	out = appendText(append(out, `,"code":`...), err.Code)
	out = appendText(append(out, `,"message":`...), err.Message)
	return append(out, "}\n"...)
}
