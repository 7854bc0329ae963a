// Package client is the Go package for backends of chskd: it pushes events to users, answers
// theirs, and hears who is online, over the daemon's Unix socket (docs/backend.md).
//
//	c, err := client.Dial(ctx, "", client.Options{})
//	defer c.Close()
//	sent, err := c.Push(ctx, client.Push{UID: "alice", Event: "chat/message", Data: data})
//	for e, err := range c.Events(ctx, client.Subscription{Ack: client.AckAuto}) { ... }
//
// Three parts:
//
//   - the [Client]: one connection for all requests. [Client.Push] waits for the answer,
//     [Client.PushAsync] does not: it fills a bounded queue (queue.go), of which one goroutine
//     writes many lines at a time and another reads the answers (link.go);
//   - [Client.Events]: an iterator over one stream of events (subscription.go). It has a connection
//     of its own and no goroutine: the loop's body reads;
//   - [Roster]: the set of who is online, kept by the events of a stream.
//
// A server at the socket that is neither root's nor the own user's is not talked to.
//
// # What is promised
//
// A lost connection is made again by itself, with a growing, random pause. A request that was not
// answered is sent again, in the order in which all were made. While there is no daemon requests
// wait in the queue; when it is full, calls wait; their ctx bounds that. A call that fails says
// whether the request may have been done ([ErrUnanswered]).
//
//   - Pushes of one client to one user arrive in the order in which they were made.
//   - Inside one life of the daemon a push is done once, however often it is sent: it carries the
//     client's producer name and a growing number, or its ID, by which the daemon knows it. chskd
//     remembers the 10,000 producers last used.
//   - A push without an answer is never lost: the daemon's next life gets it. Whether its last life
//     had taken it as well nobody knows: then a user may see it twice, once of each life.
//   - A push with an answer was taken by the daemon, into its memory. What it had not delivered
//     when it ended is lost with it: the answer is no receipt of a user.
//   - Requests other than pushes are sent again too. All but an answer to an event may be done
//     twice without harm; that one is refused the second time, see [Error].Resent.
//
// Topics, memberships and sessions are the daemon's and end with it. A stream tells of a new life
// by a [Hello] with Restarted.
//
// Events are given at most once, or with acks at least once ([AckMode]).
package client
