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
//	conn.go      the state of a connection, and the table of them
//	msg.go       what loops tell each other
//	loop.go      a loop and its turn
//	gnet.go      the thin shell around gnet; sock.go what a loop needs of a conn
//	http.go      requests: head, body, routes, answers
//	upgrade.go   journey i:   WebSocket handshakes
//	ws.go        journey ii:  frames and events from clients
//	post.go      journey ii:  the same over Ajax
//	home.go      what a home does: attach, detach, confirm
//	poll.go      journey iv:  long polls
//	push.go      journey iii: pushes, replies and questions from backends
//	deliver.go   journey iii: encoding batches and handing them to conns
//	acks.go      what the peer's kernel acknowledged
//	keepalive.go pings and every other deadline of a conn
//	drain.go     going down
//
// No file here has a lock, an atomic, a channel or a go statement.
package engine
