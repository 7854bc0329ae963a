// Command million opens a million WebSockets to chskd on one machine, holds them, and says what
// they cost. `make million` runs it; docs/million.md is the guide to it.
//
// A process may have only so many open files, so there are as many chskd as that asks for, all on
// one port (--reuse-port), and as many load processes, which are this program again:
//
//	million --pipes, JSON lines--> load processes --WebSockets--> chskd, chskd, ...
//	        --API sockets, pushes----------------------------------^
//
// Each chskd gives its number with its handshake (--handshake-data), so that a load process knows
// where each of its users is, and a push to a user goes to the API socket of that chskd.
//
//	main.go                          flags
//	run.go phases.go                 what is done, in its order
//	limits.go plan.go sysctl.go      what the machine allows, and what is made of it
//	process.go server.go worker.go   the other processes, from outside
//	client.go conn.go event.go       a load process, from inside: one epoll loop, no locks
//	push.go                          pushes and their answers
//	usage.go report.go markdown.go   what it cost
package main
