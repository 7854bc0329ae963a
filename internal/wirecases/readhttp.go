package wirecases

import (
	"fmt"
	"strconv"

	"github.com/chskd/chskd/httpmin"
)

// Limits of ReadHTTP, as a daemon has them by default.
const (
	HeadMax = 16 << 10
	BodyMax = 1 << 20
)

// Request is what ReadHTTP has read of one request.
type Request struct {
	Method, Target, Host, Body string
	Upgrade                    bool // with 101
	Last                       bool // the connection ends with its answer
}

// ReadHTTP reads a stream that arrives cut before the given offsets, as the daemon does, and gives
// the requests and how it ended: "" at the end of a request, "open", or the status of a refusal.
// It panics if a parser uses bytes that are not there, or none of those that it must use.
func ReadHTTP(in string, cuts []int) (requests []Request, end string) {
	r := reader{}
	at := 0
	for _, next := range append(cuts[:len(cuts):len(cuts)], len(in)) {
		r.pending = append(append([]byte(nil), r.pending...), in[at:next]...)
		at = next
		for r.step() {
		}
		if r.end != "" || r.over() {
			break
		}
	}
	if r.end == "" && !r.over() && (r.inBody || len(r.pending) > 0) {
		r.end = "open"
	}
	return r.requests, r.end
}

type reader struct {
	pending  []byte
	head     httpmin.Head
	body     httpmin.Body
	out      []byte
	inBody   bool
	request  Request
	requests []Request
	end      string
}

func (r *reader) over() bool {
	n := len(r.requests)
	return n > 0 && (r.requests[n-1].Last || r.requests[n-1].Upgrade)
}

func (r *reader) fail(err error) bool {
	e, ok := err.(*httpmin.Error)
	if !ok {
		panic(fmt.Sprintf("wirecases: an error of another type: %v", err))
	}
	r.end = strconv.Itoa(e.Status)
	return false
}

// step goes on as far as one head or one body, and reports whether there may be more.
func (r *reader) step() bool {
	if r.end != "" || r.over() {
		return false
	}
	if !r.inBody {
		n, err := httpmin.ParseHead(r.pending, HeadMax, &r.head)
		if err == httpmin.ErrShort {
			return false
		}
		if err == nil {
			err = r.body.Reset(&r.head, BodyMax)
		}
		if err != nil {
			return r.fail(err)
		}
		h := &r.head
		r.request = Request{
			Method: string(h.Method), Target: string(h.Target), Host: string(h.Host),
			Upgrade: h.Upgrade, Last: !h.KeepAlive,
		}
		if h.Upgrade {
			if err := httpmin.CheckUpgrade(h); err != nil {
				return r.fail(err)
			}
		}
		r.pending, r.out, r.inBody = r.pending[n:], nil, true
	}
	out, n, done, err := r.body.Feed(r.out, r.pending)
	if err != nil {
		return r.fail(err)
	}
	if !done && n != len(r.pending) {
		panic(fmt.Sprintf("wirecases: %d of %d bytes used, and not done", n, len(r.pending)))
	}
	r.out, r.pending = out, r.pending[n:]
	if !done {
		return false
	}
	r.request.Body, r.inBody = string(out), false
	r.requests = append(r.requests, r.request)
	return true
}

// Verdict words what ReadHTTP gave, as cases do; bodies are told where want tells them.
func Verdict(requests []Request, end string, want []string) (words []string) {
	for i, r := range requests {
		switch {
		case r.Upgrade:
			words = append(words, "101")
		case i < len(want) && len(want[i]) > 3 && want[i][:3] == "ok=":
			words = append(words, "ok="+r.Body)
		default:
			words = append(words, "ok")
		}
		if r.Last && !r.Upgrade {
			words = append(words, "close")
		}
	}
	if end != "" {
		words = append(words, end)
	}
	return words
}
