// Package backend is the Unix-socket API through which an application talks to chskd: it pushes
// events to users, hears theirs, and asks who is online (docs: "The backend API, version 1").
//
// Three parts meet here:
//
//   - the codec (object.go, request.go, verbs.go, content.go, lines.go): pure functions from the
//     bytes of a request to what it asks for, with an [Error] that says what is wrong and where;
//   - the [Hub]: the queues between the event loops, which call [Hub.Event] and [Hub.Presence],
//     and the consumers, which read streams at their own pace;
//   - the [Server]: the socket, and the two dialects that are told apart by its first byte. HTTP
//     (routes.go, push.go, query.go, stream.go) is for scripts and people; lines (line*.go) are for
//     a backend that pushes and hears at speed over one long connection.
//
// A field that a verb does not have is refused, never ignored: an option that one daemon knows and
// another does not, or a slip of the pen, would silently change what happens. So are doubled names
// and values of the wrong kind.
//
// It knows nothing of loops, conns or shards: what it needs from the rest of the daemon is the
// [Engine] interface, which it declares and others implement.
//
// # Ownership
//
// The Hub's queues are guarded by one mutex, held for the time of an append: a loop that calls
// Event never waits for a consumer. Every queue is bounded (limits.go, hub_limits.go). Transcoding
// and line building happen in the goroutine of the consumer's stream, never in a loop.
//
// # Delivery
//
// A group spreads its events over its consumers by slots of users. With acks an event is kept until
// it is acked, and what a consumer leaves undone when it dies goes to the others, or is held for the
// next one: in order, before anything newer of the same users, marked. Without acks it is given at
// most once. Whatever is dropped, because a bound is reached, is counted, and told as a gap in its
// place. The rules are in rules.go; the simulation (sim_test.go) plays schedules of consumers that
// come, read, ack, stall and die against them.
//
// # Example
//
//	hub := backend.NewHub(backend.HubOptions{})
//	socket, err := backend.Listen(backend.DefaultSocketPath())
//	server := backend.NewServer(engine, hub, backend.Options{})
//	go server.Serve(socket)
//	defer server.Shutdown(ctx)
package backend
