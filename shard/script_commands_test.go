package shard_test

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/chskd/chskd/shard"
)

func showUser(tenant, uid []byte, nilUID bool) string {
	name := string(uid)
	switch {
	case nilUID:
		name = "~"
	case name == "":
		name = "(empty)"
	}
	if len(tenant) > 0 {
		name = string(tenant) + ":" + name
	}
	return name
}

// run executes one command and returns what it prints; changes of presence,
// words to owners and released payloads are printed after every command.
func (sc *script) run(words []string) string {
	var out strings.Builder
	a := parseArgs(words[1:])
	sc.command(&out, words[0], a)
	var p shard.Presence
	for sc.s.NextPresence(&p) {
		state := "close"
		if p.Open {
			state = "open"
		}
		fmt.Fprintln(&out, state, showUser(p.Tenant, p.UID, p.NilUID))
	}
	var ask shard.Ask
	for sc.s.NextAsk(&ask) {
		word := "displaced"
		if ask.Rebound {
			word = "rebound"
		}
		fmt.Fprintln(&out, word, ask.Ref)
	}
	if len(sc.released) > 0 {
		fmt.Fprintln(&out, "released", strings.Join(sc.released, " "))
		sc.released = nil
	}
	return out.String()
}

func (sc *script) command(out *strings.Builder, name string, a args) {
	s, who, ref := sc.s, a.at(0), number0(a.at(1))
	id := sc.ids[who]
	switch name {
	case "config": // field=value ...: starts anew
		for field, v := range a.opt {
			sc.configure(field, int(number(v)))
		}
		sc.s = shard.New(sc.cfg)
	case "at": // TIME: advances the clock
		sc.now = uint32(number(a.at(0)))
		s.Advance(sc.now)
	case "attach": // SESSION REF [since=TIME] [packer=N] [as=NAME]
		since := sc.now
		if a.opt["since"] != "" {
			since = uint32(a.num("since"))
		}
		got, displaced, err := s.AttachWSSince(
			sc.now, since, key(who), ref, uint8(a.num("packer")))
		sc.bind(out, a, got, err)
		if displaced != 0 {
			fmt.Fprintln(out, "displaced", displaced)
		}
	case "displaced": // SESSION REF confirmed=N
		s.Displaced(sc.now, id, ref, a.num("confirmed"))
	case "detach": // SESSION REF confirmed=N [alive]
		s.DetachWS(sc.now, id, ref, a.num("confirmed"), a.has("alive"))
	case "confirm": // SESSION REF seq=N
		s.Confirm(id, ref, a.num("seq"))
	case "stalled": // SESSION REF sent=N
		s.Stalled(id, ref, a.num("sent"))
	case "drained": // SESSION REF
		s.Drained(sc.now, id, ref)
	case "poll": // SESSION REF [handshake] [udt=N]
		got, v, err := s.Poll(sc.now, key(who), ref, 0, a.has("handshake"), a.num("udt"))
		sc.bind(out, a, got, err)
		if err == nil {
			fmt.Fprintln(out, []string{"handshake", "park"}[v])
		}
	case "poll-gone": // SESSION REF
		s.PollGone(sc.now, id, ref)
	case "poll-answered": // SESSION REF
		s.PollAnswered(sc.now, id, ref)
	case "touch": // SESSION
		got, err := s.Touch(sc.now, key(who))
		sc.bind(out, a, got, err)
		if got == 0 {
			fmt.Fprintln(out, "no session")
		}
	case "ajax-session": // SESSION
		got, poll := s.AjaxSession(key(who))
		fmt.Fprintln(out, "known", got != 0 && got == id, "poll", poll)
	default:
		sc.question(out, name, a)
	}
}

func number0(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (sc *script) configure(field string, v int) {
	c := &sc.cfg
	times := map[string]*uint32{
		"WSGrace": &c.WSGrace, "AjaxGrace": &c.AjaxGrace, "Keep": &c.Keep,
		"FlushWS": &c.FlushWS, "FlushAjax": &c.FlushAjax, "Pace": &c.Pace, "LogAge": &c.LogAge,
	}
	sizes := map[string]*int{
		"BatchEvents": &c.BatchEvents, "BatchBytes": &c.BatchBytes, "LogEntries": &c.LogEntries,
		"LogBytes": &c.LogBytes, "ShardBytes": &c.ShardBytes,
		"UserSessions": &c.UserSessions, "KeptSessions": &c.KeptSessions, "Topics": &c.Topics,
	}
	switch {
	case times[field] != nil:
		*times[field] = uint32(v)
	case sizes[field] != nil:
		*sizes[field] = v
	case field == "ConfirmOnSend":
		c.ConfirmOnSend = v != 0
	default:
		panic("no field " + field)
	}
}

// bind remembers a session's id under its name, and under as=NAME.
func (sc *script) bind(out *strings.Builder, a args, id shard.SessionID, err error) {
	if err != nil {
		fmt.Fprintln(out, err)
		return
	}
	name := a.at(0)
	if old, ok := sc.ids[name]; ok && old != id && id != 0 {
		fmt.Fprintln(out, "a new session")
	}
	sc.ids[name] = id
	if as := a.opt["as"]; as != "" {
		sc.ids[as] = id
	}
}

func (sc *script) question(out *strings.Builder, name string, a args) {
	s := sc.s
	switch name {
	case "push": // USER[/CLIENT] NAME... [flush] [key=K] [ttl=MS] [size=N]
		for _, p := range sc.payloads(a, 1) {
			fmt.Fprintln(out, "sessions", s.PushTo(sc.now, to(a.at(0)), p, a.options()))
		}
	case "broadcast": // NAME... [tenant=T] [except=a,b] [flush] [key=K] [ttl=MS] [size=N]
		tenant := []byte(a.opt["tenant"])
		for _, p := range sc.payloads(a, 0) {
			fmt.Fprintln(out, "sessions", s.PushTenant(sc.now, tenant, p, a.options()))
		}
	case "publish": // TOPIC NAME... [tenant=T] [except=a,b] [flush] [key=K] [ttl=MS] [size=N]
		tenant, topic := []byte(a.opt["tenant"]), []byte(a.at(0))
		for _, p := range sc.payloads(a, 1) {
			fmt.Fprintln(out, "sessions", s.PushTopic(sc.now, tenant, topic, p, a.options()))
		}
	case "join": // USER[/CLIENT] TOPIC...
		for _, topic := range a.word[1:] {
			joined, err := s.Join(sc.now, to(a.at(0)), []byte(topic))
			fmt.Fprintln(out, "joined", joined, err)
		}
	case "leave": // USER[/CLIENT] TOPIC
		fmt.Fprintln(out, "left", s.Leave(sc.now, to(a.at(0)), []byte(a.at(1))))
	case "grant": // SESSION REF TOPIC... [enter]
		topics := slices.DeleteFunc(slices.Clone(a.word[2:]),
			func(w string) bool { return w == "enter" })
		if n := s.Grant(sc.now, sc.ids[a.at(0)], number0(a.at(1)), topics, a.has("enter")); n > 0 {
			fmt.Fprintln(out, "refused", n)
		}
	case "topics": // USER[/CLIENT]
		s.Topics(to(a.at(0)), func(topic []byte) bool {
			fmt.Fprintf(out, "%s\n", topic)
			return true
		})
	case "turn": // [max=N]: takes deliveries
		sc.turn(out, int(a.num("max")))
	case "close": // USER[/CLIENT]
		n := s.CloseSessions(sc.now, to(a.at(0)), func(_ shard.SessionID, ref uint64, ajax bool) {
			fmt.Fprintln(out, "ends", ref, map[bool]string{false: "ws", true: "ajax"}[ajax])
		})
		fmt.Fprintln(out, "sessions", n)
	case "due":
		due, ok := s.Due()
		fmt.Fprintln(out, due, ok)
	case "counts":
		fmt.Fprintf(out, "%+v\n", s.Counts())
	case "users":
		s.Users(0, 1000, func(_ uint32, u shard.UserInfo) {
			fmt.Fprintln(out, showUser(u.Tenant, u.UID, u.NilUID), "ws", u.WS, "ajax", u.Ajax)
		})
	case "user": // USER[/CLIENT]
		sc.user(out, a.at(0))
	default:
		panic("no command " + name)
	}
}

func (a args) options() shard.PushOptions {
	o := shard.PushOptions{
		Flush: a.has("flush"), Key: []byte(a.opt["key"]), TTL: uint32(a.num("ttl")),
	}
	if a.opt["except"] != "" {
		o.Except = strings.Split(a.opt["except"], ",")
	}
	return o
}

func (sc *script) payloads(a args, from int) (ps []shard.Payload) {
	for _, w := range a.word[from:] {
		if w != "flush" {
			ps = append(ps, &named{sc: sc, name: w, size: max(1, int(a.num("size")))})
		}
	}
	return ps
}

func (sc *script) turn(out *strings.Builder, limit int) {
	var d shard.Delivery
	for i := 0; limit == 0 || i < limit; i++ {
		if !sc.s.NextDelivery(sc.now, &d) {
			return
		}
		kind := "ws"
		if d.Ajax {
			kind = "poll"
		}
		fmt.Fprintf(out, "%s %d %d..%d:", kind, d.Ref, d.From, d.To)
		if d.Run == nil {
			fmt.Fprintf(out, " missed %d\n", d.Missed)
			continue
		}
		for _, e := range d.Run.Entries {
			fmt.Fprintf(out, " %s", e.Payload.(*named).name)
		}
		fmt.Fprintln(out)
	}
}

func (sc *script) user(out *strings.Builder, name string) {
	var lines []string
	u, ok := sc.s.User(to(name), func(i shard.SessionInfo) {
		lines = append(lines, fmt.Sprintf("  %s ws %v ajax %v packer %d lag %d",
			i.Client, i.WS, i.Ajax, i.Packer, i.Lag))
	})
	if !ok {
		fmt.Fprintln(out, "absent")
		return
	}
	sort.Strings(lines)
	fmt.Fprintln(out, showUser(u.Tenant, u.UID, u.NilUID), "ws", u.WS, "ajax", u.Ajax)
	for _, l := range lines {
		fmt.Fprintln(out, l)
	}
}
