// Package verifier finds out who clients are where that takes time: it has tokens checked
// (package jwt) and the application asked (package hook) by goroutines of its own, remembers what
// they found, and tells each request that waits.
//
//	v := verifier.New(verifier.Config{Hook: client, JWT: keys})
//	v.Start(engine.Verified)
//	grant := v.Verify(&request, need, ticket, nowMs) // nil: told later, once
//	v.Stop()
//
// Verify is called from event loops. It takes short locks, of one of many shards, which are never
// held while somebody is waited for.
//
//	Verify -> key -> shard: remembered? ---------------------------------> the grant
//	                        the same under way? -> its ticket joins
//	                        else a flight -> queue -> worker -> remember -> told(ticket, grant)
//	                             no room, breaker open -------------------> 503 at once
//
// What bounds it: entries and bytes of the memory, jobs in a queue, the time they may wait there,
// workers, requests that wait for one job, revocations. What is full is answered 503, which a
// client tries again; it is never a reason to let somebody in.
//
// Reading order: verifier.go, key.go (what makes two requests the same), shard.go (memory and
// flights), work.go (queues and workers), breaker.go, revoke.go, stats.go.
package verifier
