// Package bench is the load tool: `chskd bench SCENARIO`.
//
// It opens many WebSockets or long polls to any server of Sente's protocol and says what they cost
// that server: memory and kernel memory per connection, CPU per handshake, ping, delivered event
// and round trip to a backend, and latency as the clients see it. What it claims it has checked:
// every event is numbered, and every connection looks for lost, doubled and reordered ones; every
// echo is compared with what was sent. A malformed answer is an error, never a hang, and every run
// is bounded in count and time.
//
// It is not a Sente client library (it speaks just enough of the protocol), and not a conformance
// suite.
//
// # How it is built
//
// Connections live in worker processes, each a single epoll loop with no goroutine per connection
// and about 60 bytes of state for each. The command itself is the driver: it starts the workers
// (in its own process when one is enough, else by running its own program again), hands them one
// job at a time as JSON over a pipe, reads the server's /proc entries around the job, and merges
// what they report. A scenario is a load: what connections ask, who leaves and comes back, and what
// is pushed meanwhile; there is one driver for all.
//
//	command.go flags.go   sub-commands            options.go  limits of a run
//	scenarios.go load.go  the scenarios, and how the driver plays them; idle.go, broadcast.go
//	results.go report.go  what is said of them    figures.go  thresholds and comparisons
//	monitor.go    the status line, the series     html.go     the page of --html, with html/
//	fleet.go      the driver's end of the pipes   worker.go   the worker's end
//	loop.go       epoll, one turn                 conn.go     one connection's states
//	ajax.go       clients that poll               absence.go  clients that come and go
//	job.go run.go pool.go   what a loop is asked  watch.go    order, loss and doubling
//	wire.go       frames and the upgrade          message.go  Sente's messages
//	scan.go       the values in them              codec.go    packers
//	server.go     CPU and memory, kernel's too    target.go   where to, and as whom
//	limits.go     file descriptors, ports         push.go     one event into the server
//	stream.go     pushes and joins as lines       sending.go  those lines into the server
//	membership.go who is in which topic           echoer.go   the backend of echoes
//	latency.go    histograms that travel as JSON
//
// Sources: RFC 6455 (frames), Sente 1.21 (messages), proc(5), hdrhistogram.org.
package bench
