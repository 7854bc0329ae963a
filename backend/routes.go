package backend

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/bytedance/sonic"
	"golang.org/x/sys/unix"
)

// route is one path of the API.
type route struct {
	method string
	params string // the query parameters that it takes, between spaces
	serve  func(s *Server, w http.ResponseWriter, r *http.Request, q url.Values) *Error
}

var routes = map[string]route{
	"/v1/push":         {http.MethodPost, "", (*Server).push},
	"/v1/reply":        {http.MethodPost, "", (*Server).reply},
	"/v1/close":        {http.MethodPost, "", (*Server).close},
	"/v1/join":         {http.MethodPost, "", (*Server).join},
	"/v1/leave":        {http.MethodPost, "", (*Server).leave},
	"/v1/ack":          {http.MethodPost, "", (*Server).ack},
	"/v1/connected":    {http.MethodGet, " tenant uid nil_uid topic after limit ", (*Server).connected},
	"/v1/events":       {http.MethodGet, " group format ids presence ack ", (*Server).events},
	"/v1/stats":        {http.MethodGet, "", (*Server).stats},
	"/v1/openapi.json": {http.MethodGet, "", (*Server).openAPI},
	"/metrics":         {http.MethodGet, "", (*Server).metrics},
	"/healthz":         {http.MethodGet, "", (*Server).healthz},
	"/readyz":          {http.MethodGet, "", (*Server).readyz},
}

// route finds the path's handler and answers its error.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	rt, ok := routes[r.URL.Path]
	if !ok {
		answerError(w, fail(http.StatusNotFound, "not_found",
			"this version of chskd has no %q", r.URL.Path))
		return
	}
	if r.Method != rt.method {
		w.Header().Set("Allow", rt.method)
		answerError(w, fail(http.StatusMethodNotAllowed, "method_not_allowed",
			"%s takes %s, not %q", r.URL.Path, rt.method, r.Method))
		return
	}
	q, err := params(r.URL.RawQuery, rt.params)
	if err == nil {
		err = rt.serve(s, w, r, q)
	}
	if err != nil {
		answerError(w, err)
	}
}

// params reads a query strictly: a parameter that has no meaning is an error, not a surprise.
func params(raw, names string) (url.Values, *Error) {
	q, e := url.ParseQuery(raw)
	if e != nil {
		return nil, bad("bad_param", "the query cannot be read: %s", e)
	}
	for name, values := range q {
		if !strings.Contains(names, " "+name+" ") || strings.Contains(name, " ") {
			if known := strings.TrimSpace(names); known != "" {
				return nil, bad("unknown_param", "there is no parameter %q here; there are: %s",
					name, known)
			}
			return nil, bad("unknown_param", "there is no parameter %q here; there are none", name)
		}
		if len(values) > 1 && name != "ids" {
			return nil, bad("bad_param", "%q is there %d times", name, len(values))
		}
	}
	return q, nil
}

// Answers, as JSON objects.
type (
	errorAnswer struct {
		Error *Error `json:"error"`
	}
	statusAnswer struct {
		Status    string `json:"status"`
		Sessions  *int   `json:"sessions,omitempty"`
		Duplicate bool   `json:"duplicate,omitempty"` // it was done before, and is not done again
		Joined    *bool  `json:"joined,omitempty"`
		Left      *bool  `json:"left,omitempty"`
	}
	statsAnswer struct {
		Epoch  string   `json:"epoch"`
		Uptime float64  `json:"uptime_s"`
		Engine Stats    `json:"engine"`
		Hub    HubStats `json:"backend"`
	}
)

// answerJSON writes maps in the order of their keys, and never text that is no UTF-8.
var answerJSON = sonic.Config{
	SortMapKeys: true, CompactMarshaler: true, ValidateString: true,
}.Froze()

// answer writes an answer and its line end.
func answer(w http.ResponseWriter, status int, v any) {
	b := encode(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)+1))
	w.WriteHeader(status)
	// A peer that is gone is seen by net/http too, and there is nobody left to tell.
	_, _ = w.Write(append(b, '\n'))
}

func encode(v any) []byte {
	b, err := answerJSON.Marshal(v)
	if err != nil {
		panic("backend: an answer cannot be encoded: " + err.Error())
	}
	return b
}

func answerError(w http.ResponseWriter, e *Error) {
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, e.Status, errorAnswer{e})
}

// readObject reads the body of a verb that takes one object, and parses it.
func readObject[T any](s *Server, w http.ResponseWriter, r *http.Request,
	parse func([]byte) (T, *Error),
) (v T, err *Error) {
	if err = s.bodyDeadline(w, bodyWait); err != nil {
		return v, err
	}
	b, e := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.o.MaxLine)))
	if e != nil {
		return v, s.bodyError(e)
	}
	if v, err = parse(b); err != nil {
		return v, err.at(1)
	}
	return v, nil
}

// bodyDeadline bounds the wait for a body; 0 takes the bound away.
func (s *Server) bodyDeadline(w http.ResponseWriter, wait time.Duration) *Error {
	var t time.Time
	if wait > 0 {
		t = time.Now().Add(wait)
	}
	if err := http.NewResponseController(w).SetReadDeadline(t); err != nil {
		return fail(http.StatusInternalServerError, "internal", "%s", err)
	}
	return nil
}

// bodyError says why a body could not be read.
func (s *Server) bodyError(err error) *Error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), errors.Is(err, ErrLineTooLong):
		return tooLarge(s.o.MaxLine)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fail(http.StatusRequestTimeout, "timeout", "the body did not come within %s",
			bodyWait)
	}
	return bad("bad_body", "the body cannot be read: %s", err)
}

// await gives what the engine answers by done; late: the bound passed, or the peer left.
func await[T any](ctx context.Context, s *Server, ask func(done func(T))) (v T, err *Error) {
	got := make(chan T, 1)
	ask(func(v T) { got <- v })
	ctx, cancel := context.WithTimeout(ctx, s.engineWait)
	defer cancel()
	select {
	case v = <-got:
		return v, nil
	case <-ctx.Done():
		return v, s.lateAnswer()
	}
}

func (s *Server) lateAnswer() *Error {
	return fail(http.StatusGatewayTimeout, "timeout", "no answer within %s; it may still be done",
		s.engineWait)
}

// readVerb reads the body of a verb that takes one object; as gives what it asks for.
func readVerb[T any](s *Server, w http.ResponseWriter, r *http.Request, verb string,
	takes fieldSet, as func(*parser) (T, *Error),
) (T, *Error) {
	return readObject(s, w, r, func(b []byte) (v T, err *Error) {
		p := new(parser)
		if err = p.readHTTP(b, verb, takes); err != nil {
			return v, err
		}
		return as(p)
	})
}

func (s *Server) reply(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	p, err := readVerb(s, w, r, "reply", replyFields, (*parser).asReply)
	if err != nil {
		return err
	}
	refused, err := await(r.Context(), s, func(done func(error)) {
		s.engine.Reply(&p, done)
	})
	if err == nil {
		err = engineError(refused)
	}
	if err != nil {
		return err.at(1)
	}
	answer(w, http.StatusOK, statusAnswer{Status: "ok"})
	return nil
}

func (s *Server) close(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	c, err := readVerb(s, w, r, "close", closeFields, (*parser).asClose)
	if err != nil {
		return err
	}
	type ended struct {
		sessions int
		err      error
	}
	told, err := await(r.Context(), s, func(done func(ended)) {
		s.engine.Close(&c, func(sessions int, err error) { done(ended{sessions, err}) })
	})
	if err == nil {
		err = engineError(told.err)
	}
	if err != nil {
		return err.at(1)
	}
	answer(w, http.StatusOK, statusAnswer{Status: "ok", Sessions: &told.sessions})
	return nil
}

// member is what the engine answers to a join or leave.
type member struct {
	done bool
	err  error
}

func (s *Server) join(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	m, err := s.member(w, r, "join", s.engine.Join)
	if err == nil {
		answer(w, http.StatusOK, statusAnswer{Status: "ok", Joined: &m})
	}
	return err
}

func (s *Server) leave(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	m, err := s.member(w, r, "leave", s.engine.Leave)
	if err == nil {
		answer(w, http.StatusOK, statusAnswer{Status: "ok", Left: &m})
	}
	return err
}

func (s *Server) member(w http.ResponseWriter, r *http.Request, verb string,
	do func(*Membership, func(bool, error)),
) (bool, *Error) {
	m, err := readVerb(s, w, r, verb, memberFields, (*parser).asMembership)
	if err != nil {
		return false, err
	}
	got, err := await(r.Context(), s, func(done func(member)) {
		do(&m, func(ok bool, err error) { done(member{ok, err}) })
	})
	if err == nil && got.err != nil {
		err = engineError(got.err).at(1)
	}
	return got.done, err
}

func (s *Server) ack(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	a, err := readVerb(s, w, r, "ack", ackFields, (*parser).asAck)
	if err == nil {
		err = s.hub.ack(a.epoch, a.consumer, a.seq)
	}
	if err == nil {
		answer(w, http.StatusOK, statusAnswer{Status: "ok"})
	}
	return err
}

func (s *Server) stats(w http.ResponseWriter, _ *http.Request, _ url.Values) *Error {
	answer(w, http.StatusOK, s.readStats())
	return nil
}

func (s *Server) readStats() statsAnswer {
	st := s.engine.Stats()
	return statsAnswer{s.hub.epoch, st.Uptime.Seconds(), st, s.hub.Stats()}
}

// metrics is answered by whoever knows the format.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	if s.o.Metrics == nil {
		return fail(http.StatusNotFound, "not_found", "this daemon tells no metrics")
	}
	s.o.Metrics.ServeHTTP(w, r)
	return nil
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request, _ url.Values) *Error {
	answer(w, http.StatusOK, statusAnswer{Status: "ok"})
	return nil
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request, _ url.Values) *Error {
	if s.draining.Load() || !s.engine.Ready() {
		return unavailable(ErrDraining)
	}
	answer(w, http.StatusOK, statusAnswer{Status: "ok"})
	return nil
}

// isShortage tells whether an accept failed for want of descriptors or memory.
func isShortage(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) ||
		errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.ENOBUFS)
}
