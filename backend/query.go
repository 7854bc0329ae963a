package backend

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/bytedance/sonic"

	"github.com/chskd/chskd/packer"
)

// The verbs that ask: who is online, and what happens.

// uidText is a uid in an answer: null for the users without one.
type uidText struct {
	uid string
	nil bool
}

// MarshalJSON writes a string or null.
func (u uidText) MarshalJSON() ([]byte, error) {
	if u.nil {
		return []byte("null"), nil
	}
	return appendText(nil, u.uid), nil
}

type (
	// pageAnswer lists users by transport. Next is the `after` of the next page. Of a topic's
	// users there is no count: it would have to be that of the topic, which nobody keeps.
	pageAnswer struct {
		Any   []uidText `json:"any"`
		WS    []uidText `json:"ws"`
		Ajax  []uidText `json:"ajax"`
		Count *Count    `json:"count,omitempty"`
		Next  string    `json:"next,omitempty"`
	}
	userAnswer struct {
		Tenant  string         `json:"tenant,omitempty"`
		UID     uidText        `json:"uid"`
		Online  bool           `json:"online"`
		WS      int            `json:"ws"`
		Ajax    int            `json:"ajax"`
		Clients []clientAnswer `json:"clients"`
		More    bool           `json:"more,omitempty"`
		topicsAnswer
	}
	clientAnswer struct {
		Client     string   `json:"client"`
		Transports []string `json:"transports"`
		Packer     string   `json:"packer"`
		Lag        uint64   `json:"lag"`
		topicsAnswer
	}
	topicsAnswer struct {
		Topics     []string `json:"topics,omitempty"`
		MoreTopics bool     `json:"more_topics,omitempty"`
	}
)

var answerTypes = []reflect.Type{
	reflect.TypeFor[errorAnswer](), reflect.TypeFor[statusAnswer](), reflect.TypeFor[statsAnswer](),
	reflect.TypeFor[pageAnswer](), reflect.TypeFor[userAnswer](), reflect.TypeFor[*manyAnswer](),
}

func (s *Server) connected(w http.ResponseWriter, r *http.Request, q url.Values) *Error {
	tenant := q.Get("tenant")
	if len(tenant) > maxTenant {
		return bad("bad_param", `"tenant" is longer than %d bytes`, maxTenant)
	}
	nilUID, err := flag(q, "nil_uid")
	if err != nil {
		return err
	}
	if !q.Has("uid") && !nilUID {
		query, err := parsePage(q, tenant)
		if err != nil {
			return err
		}
		a, err := s.page(r.Context(), query)
		if err == nil {
			answer(w, http.StatusOK, a)
		}
		return err
	}
	uid := q.Get("uid")
	switch {
	case nilUID && q.Has("uid"):
		return bad("conflict", `only one of "uid" and "nil_uid" can be given`)
	case q.Has("after") || q.Has("limit") || q.Has("topic"):
		return bad("conflict", oneUser)
	case !nilUID:
		if err := checkLen("uid", uid, maxUID); err != nil {
			return err
		}
	}
	a, err := s.user(r.Context(), tenant, uid, nilUID)
	if err == nil {
		answer(w, http.StatusOK, a)
	}
	return err
}

// oneUser refuses what belongs to a list of users where one is asked for.
const oneUser = `"topic", "after" and "limit" are for lists of users, not for one user`

func parsePage(q url.Values, tenant string) (Query, *Error) {
	limit := pageUsers
	if q.Has("limit") {
		var e error
		limit, e = strconv.Atoi(q.Get("limit"))
		if e != nil || limit < 1 || limit > maxPageUsers {
			return Query{}, bad("bad_param", `"limit" must be a number from 1 to %d`, maxPageUsers)
		}
	}
	topic := q.Get("topic")
	if q.Has("topic") {
		if err := checkLen("topic", topic, maxTopic); err != nil {
			return Query{}, err
		}
	}
	return Query{Tenant: tenant, Topic: topic, After: q.Get("after"), Limit: limit}, nil
}

// page gives a page of all users, or of a topic's.
func (s *Server) page(ctx context.Context, q Query) (a pageAnswer, err *Error) {
	c, err := await(ctx, s, func(done func(*Connected)) { s.engine.Connected(q, done) })
	if err != nil {
		return a, err
	}
	if c.Err != nil {
		return a, engineError(c.Err)
	}
	a = pageAnswer{Any: []uidText{}, WS: []uidText{}, Ajax: []uidText{}, Next: c.Next}
	if q.Topic == "" {
		a.Count = &c.Count
	}
	sawNil := false
	for _, u := range c.Users {
		if u.NilUID && sawNil {
			continue // each shard tells its own
		}
		sawNil = sawNil || u.NilUID
		id := uidText{u.UID, u.NilUID}
		a.Any = append(a.Any, id)
		if u.WS > 0 {
			a.WS = append(a.WS, id)
		}
		if u.Ajax > 0 {
			a.Ajax = append(a.Ajax, id)
		}
	}
	return a, nil
}

// user gives what is known of one user; one that is not online is no error.
func (s *Server) user(ctx context.Context, tenant, uid string, nilUID bool) (a userAnswer,
	err *Error,
) {
	u, err := await(ctx, s, func(done func(*User)) {
		s.engine.User(tenant, uid, nilUID, func(u *User, ok bool) {
			if !ok {
				u = nil
			}
			done(u)
		})
	})
	if err != nil {
		return a, err
	}
	a = userAnswer{Tenant: tenant, UID: uidText{uid, nilUID}, Clients: []clientAnswer{}}
	if u == nil {
		return a, nil
	}
	a.Online, a.WS, a.Ajax, a.More = true, u.WS, u.Ajax, u.More
	a.topicsAnswer = topicsAnswer{u.Topics, u.MoreTopics}
	for _, c := range u.Clients {
		a.Clients = append(a.Clients, clientAnswer{
			Client: c.Client, Transports: transports(c), Packer: c.Packer.String(), Lag: c.Lag,
			topicsAnswer: topicsAnswer{c.Topics, c.MoreTopics},
		})
	}
	return a, nil
}

func transports(c Client) []string {
	t := []string{}
	if c.WS {
		t = append(t, "ws")
	}
	if c.Ajax {
		t = append(t, "ajax")
	}
	return t
}

// flag reads a parameter that is 1 or 0.
func flag(q url.Values, name string) (bool, *Error) {
	switch v := q.Get(name); v {
	case "", "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	default:
		return false, bad("bad_param", "%q must be 1 or 0, not %q", name, v)
	}
}

// events turns the connection into a consumer's stream.
func (s *Server) events(w http.ResponseWriter, _ *http.Request, q url.Values) *Error {
	sub, err := parseSubscription(q)
	if err != nil {
		return err
	}
	s.streams.Add(1)
	defer s.streams.Done()
	c, err := s.hub.subscribe(sub)
	if err != nil {
		return err
	}
	nc, _, e := http.NewResponseController(w).Hijack()
	if e != nil {
		s.hub.leave(c, nil, false)
		return fail(http.StatusInternalServerError, "internal", "%s", e)
	}
	defer s.closeStream(nc)
	if nc.SetReadDeadline(time.Time{}) != nil {
		s.hub.leave(c, nil, false)
		return nil
	}
	gone := make(chan struct{})
	go watch(nc, gone)
	st := stream{
		hub: s.hub, c: c, conn: nc, stall: s.o.Stall, enc: encoder{format: c.format},
	}
	st.run(gone)
	return nil
}

func (s *Server) closeStream(nc interface{ Close() error }) {
	if err := nc.Close(); err != nil {
		s.o.Log.Debug("api socket: closing a stream", "error", err)
	}
}

func parseSubscription(q url.Values) (sub subscription, err *Error) {
	sub.group, sub.format = defaultGroup, packer.JSON
	if q.Has("group") {
		sub.group = q.Get("group")
		if err = checkLen("group", sub.group, maxGroupName); err != nil {
			return sub, err
		}
	}
	if q.Has("format") {
		if sub.format, err = streamFormat(q.Get("format"), "bad_param"); err != nil {
			return sub, err
		}
	}
	if q.Has("ids") {
		if sub.ids, err = parseGlobs(q["ids"]); err != nil {
			return sub, err
		}
	}
	if sub.ack, err = flag(q, "ack"); err != nil {
		return sub, err
	}
	sub.presence, err = parseFollowing(q.Get("presence"))
	return sub, err
}

// pretouch compiles the encoders of the answers now, not in the first request.
func pretouch() {
	for _, t := range answerTypes {
		if err := sonic.Pretouch(t); err != nil {
			panic("backend: an answer's type cannot be encoded: " + err.Error())
		}
	}
}
