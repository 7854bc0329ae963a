// Package bench is the load tool: `chskd bench idle|ping|broadcast|push|echo`.
//
// It opens many WebSockets to any server of Sente's protocol and says what they cost that server:
// memory and kernel memory per connection, CPU per handshake, ping, delivered event and round trip
// to a backend, and latency as the clients see it. What it claims it has checked: every event is
// numbered, and every connection looks for lost, doubled and reordered ones; every echo is compared
// with what was sent. A malformed answer is an error, never a hang, and every run is bounded in
// count and time.
//
// It is not a Sente client library (it speaks just enough of the protocol, in edn or json), and not
// a conformance suite.
//
// # How it is built
//
// Connections live in worker processes, each a single epoll loop with no goroutine per connection
// and about 50 bytes of state for each. The command itself is the driver: it starts the workers
// (in its own process when one is enough, else by running its own program again), hands them one
// job at a time as JSON over a pipe, reads the server's /proc entries around the job, and merges
// what they report.
//
//	command.go    flags and sub-commands          options.go  limits of a run
//	idle.go ping.go broadcast.go pushes.go echo.go   the scenarios, seen from the driver
//	fleet.go      the driver's end of the pipes   worker.go   the worker's end
//	loop.go       epoll, one turn                 conn.go     one connection's states
//	job.go        what a loop can be asked        watch.go    order, loss and doubling
//	wire.go       frames and the upgrade          message.go  Sente's messages
//	scan.go       the values in them
//	server.go     CPU and memory, kernel's too    target.go   where to, and as whom
//	limits.go     file descriptors, ports         push.go     events into the server
//	stream.go     pushes to users as lines        sending.go  those lines into the server
//	echoer.go     the backend of an echo run      latency.go  histograms that travel as JSON
//	report.go     results as text and JSON
//	driver.go     what all scenarios share
//
// Sources: RFC 6455 (frames), Sente 1.21 (messages), proc(5), hdrhistogram.org.
package bench
