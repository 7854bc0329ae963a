// Package metrics counts what the event loops do.
//
// Each loop has one Loop block of its own and is its only writer, so that a count
// is a plain load and store on a cache line that no other loop writes; whoever
// reads sums the blocks. Names of users, tokens and cookies never get here: a
// metric is a number with a fixed name.
//
//	var m metrics.Loop
//	m.EventsIn.Add(1)
//	total := metrics.Sum([]*metrics.Loop{&m})["events_in"]
package metrics
