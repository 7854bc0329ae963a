// Package engine runs chskd's event loops: it owns every client connection and
// drives the pure packages (httpmin, wsframe, packer, shard, longpoll, auth) with
// bytes, messages and the time.
//
// It is the only package that knows gnet. There is a fixed number of loops and no
// goroutine per connection. A connection belongs to the loop that accepted it, its
// owner; a user belongs to the loop that its uid hashes to, its home. Owner and
// home talk by mailbox only (msg.go), also when they are the same loop, so that
// there is one order of events and one code path.
//
// Reading order:
//
//	options.go   every option and limit, with its reason
//	conn.go      the state of a connection, and the table of them; identity.go who it is;
//	             column.go what is kept beside some of them
//	msg.go       what loops tell each other
//	engine.go    the engine; loop.go a loop and its turn
//	gnet.go      the thin shell around gnet; sock.go what a loop needs of a conn;
//	             accept.go, listen.go how conns come in, and stop coming in
//	http.go      requests: head, body, routes; request.go parameters, identity, answers
//	verify.go    identities that are found out elsewhere; expire.go those that end
//	address.go   who is at the other end: sockets, PROXY headers, X-Forwarded-For
//	limits.go    the limits on peers, and where each is met: limits_held.go what is new,
//	             limits_events.go what clients say, overload.go too much to do
//	packers.go   which packer a conn speaks, and what that means for what comes and goes
//	write.go     the one way out, and the ends of conns
//	upgrade.go   journey i:   WebSocket handshakes
//	home.go                   what a home does: attach, detach, confirm
//	ws.go        journey ii:  frames and events from clients
//	post.go                   the same over Ajax; callbacks.go who waits for a reply;
//	             reject.go what clients are told when they are let down
//	push.go      journey iii: pushes from backends; topics.go who is in which topic;
//	             reply.go  replies, and the end of sessions; query.go questions
//	deliver.go                handing batches to conns; seal.go encoding them
//	gap.go                    sessions that are ended for a gap
//	acks.go                   what the peer's kernel acknowledged
//	poll.go      journey iv:  long polls
//	keepalive.go pings and every other deadline of a conn
//	drain.go     going down
//
// No file here has a lock, an atomic, a channel or a go statement.
package engine
