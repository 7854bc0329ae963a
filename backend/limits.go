package backend

import "time"

// Every bound of the API in one place: its unit, why it has this value, and what "full" does.
const (
	// MaxLineDefault bounds one request object, one NDJSON line (bytes): the largest event that
	// the client side takes by default. Over it: 413, or a rejected line.
	MaxLineDefault = 1 << 20

	// MaxConnsDefault bounds the open connections of the socket; each costs two goroutines and
	// some 10 KiB. Over it: one error line and a close.
	MaxConnsDefault = 1024

	// QueueEventsDefault and QueueBytesDefault bound what waits for one consumer, and what is
	// held while the default group has none: several seconds of a busy host, and at most 1 GiB
	// when all 64 consumers stand still. Over it: the newest is dropped and told as a gap.
	QueueEventsDefault = 32768
	QueueBytesDefault  = 16 << 20

	// PushBytesDefault bounds what was handed to the engine and is not answered yet, over all
	// connections: what a slow loop may have to work off. Over it: connections are not read.
	PushBytesDefault = 64 << 20

	// StallDefault is how long a consumer may leave its socket full before it is cut: the time
	// that a stalled client gets as well.
	StallDefault = 30 * time.Second

	maxConsumers  = 64  // streams at once; over it: 503
	maxGroups     = 16  // groups at once, of 100 KiB each; over it: 503
	maxGroupName  = 64  // bytes
	maxGlobs      = 32  // patterns of one `ids`
	maxGlob       = 256 // bytes of each, over lines
	maxUID        = 256
	maxTenant     = 256
	maxClient     = 128
	maxTopic      = 256
	maxKey        = 128
	maxTTL        = time.Hour // of a push; longer than any log keeps one
	maxOnceName   = 64        // bytes of a producer's name, of an id, of an epoch or consumer
	maxRef        = 64        // bytes
	maxReason     = 123       // bytes of a close reason, RFC 6455 §5.5
	maxDepth      = 512       // nesting of a request's JSON: no recursion without an end
	maxLineErrors = 100       // errors listed in one NDJSON answer; the rest are only counted
	maxPageUsers  = 1000
	pageUsers     = 100

	maxProducers = 10_000          // counters of producers; the least recently used is forgotten
	maxHoles     = 256             // refused numbers of each, that may come again
	maxIDs       = 100_000         // ids of pushes, some 150 bytes each; the oldest is forgotten
	idKeep       = 5 * time.Minute // and so is one of this age

	slotCount   = 4096      // uids map to this many slots of a group
	scanChunk   = 256       // snapshot entries made under the hub's lock at once
	loadChunk   = 64        // users of a page added under the hub's lock at once
	writeChunk  = 64 << 10  // bytes of lines written to a consumer at once
	keepItemBuf = 16 << 10  // larger event buffers are left to the garbage collector
	pushWindow  = 1024      // pushes of one NDJSON request that the engine has not answered yet
	lineWindow  = 4096      // requests of one line connection that the engine has not answered
	lineFlush   = 128       // of them pushes and replies for which no loop is woken yet
	lineResults = 256 << 10 // bytes of results that its peer has not read; over both it is not read
	readChunk   = 64 << 10  // bytes of lines read at once
	pushSize    = 1 << 10   // what a push counts at least against them
	maxHead     = 16 << 10  // bytes of an HTTP request head

	sniffWait  = 10 * time.Second // for the first byte of a connection, and for a request head
	bodyWait   = 60 * time.Second // for the first whole line of a body
	idleWait   = 5 * time.Minute  // between two requests of one connection
	engineWait = 10 * time.Second // for an answer of the engine; over it: 504
	cutWait    = time.Second      // for the last line of a consumer that is cut
)
