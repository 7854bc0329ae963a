package main

// guarded are the benchmarks of one package. They loop with internal/count, or nothing is counted.
type guarded struct {
	pkg   string
	bench string // as for go test -bench
}

// paths are the hot paths, from the wire to the backends and back. Where a path has many variants
// of the same code some of them stand for all.
var paths = []guarded{
	{"httpmin", "^BenchmarkParseHead$"}, // heads as Chromium sends them
	{"wsframe", "^BenchmarkParseHeader$"},
	{"wsframe", "^BenchmarkReader$/^message-(30|1024)$"},
	{"auth", "^BenchmarkCheck$"},               // who it is, when that needs nobody else
	{"auth/verifier", "^BenchmarkRemembered$"}, // who it is, when it was found out before
	{"rate", "^BenchmarkTake$"},
	{"deadline", "^BenchmarkPushPop$"},
	{"mailbox", "^BenchmarkPostTake$"},
	{"packer", "^(BenchmarkParseMessage|BenchmarkAppend)$"},
	{"packer", "^BenchmarkGzip$/^(pack|unpack)$/^(90|2000)$"},
	{"shard", "^(BenchmarkPushToOneUser|BenchmarkBroadcastDelivery|BenchmarkAttachDetach)$"},
	{"engine", "^(BenchmarkHandshake|BenchmarkEventIn|BenchmarkEchoReply|BenchmarkTargetedPush|" +
		"BenchmarkPoll|BenchmarkPost)$"},
	{"engine", "^BenchmarkPing$/^(edn|json|transit|msgpack)$"},
	{"engine", "^BenchmarkBroadcast$/./^500$"},
	{"backend", "^(BenchmarkParsePushByFormat|BenchmarkEventAndAck)$"},
}
