package engine

import (
	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/shard"
)

// msgKind says what a msg asks for. The first group goes to the home of a user, the
// second to the owner of a conn, the third to every loop.
type msgKind uint8

const (
	// To home. buf holds the identity where the session is not known yet.
	mAttach    msgKind = iota + 1 // ws conn ref speaks for buf since a
	mDetach                       // ws conn ref of session id closed: a=confirmed seq, flag alive
	mDisplaced                    // ws conn ref of session id, asked by mRelease: a=confirmed seq
	mConfirm                      // a=seq: everything up to it was acknowledged by ref's peer
	mStalled                      // a=sent seq: ref takes nothing more for now
	mDrained                      // ref takes again
	mPoll                         // poll ref for buf: a=udt, flag handshake
	mPollGone                     // poll ref closed unanswered, or its answer did not arrive
	mPost                         // send ref for buf (identity, event): a=key, b=len(identity), flags
	mNudge                        // a POST of buf (identity) failed: its hanging poll is answered [[] nil]
	mPush                         // done or cmd; buf (identity), fan (event), or both in buf: a=len(identity)
	mJoin                         // cmd: into a topic
	mLeave                        // cmd: out of it
	mQuery                        // cmd
	mEnd                          // cmd: end sessions of a user
	mGapEnd                       // end the session of buf (identity) for a gap; ref: its poll, or 0

	// To the owner of a conn.
	mAttached  // ref's session is id, its home loop a: inbound may go on
	mRelease   // ref was displaced: tell home what its peer acknowledged
	mRebound   // ref is bound again: the next mDeliver tells where it stands
	mDeliver   // buf to the targets in fan, each if it stands where home thinks
	mAnswer    // http answer for ref: buf holds the body; for a poll's batch id=session, a=seq, b=home
	mAnswerLit // the same, a=packer.Literal
	mReply     // a reply from a backend: id=callback slot, a=secret
	mEndConn   // close ws conn ref: a=close code, buf=reason
	mGap       // ref is to be told of a gap by its end: who is it? id=session, a=from, b=home
	mAnswerGap // http answer for poll ref: 410
	mVerified  // cmd: what was found out about the request of ref

	// To every loop.
	mDrain    // begin to go down
	mEndPosts // answer the sends that still wait
	mRevoke   // cmd: pass it on to home as mEnd, behind all that was posted there before
)

// Flags of a msg.
const (
	flagAlive     uint8 = 1 << iota // mDetach: the peer acknowledged something
	flagHandshake                   // mPoll: the client asks for a handshake; mAnswer: make one
	flagCallback                    // mPost: a reply is wanted
	flagBad                         // mPost: not an event
	flagFlush                       // mPush
)

// msg is what loops tell each other, one struct for all kinds: no closures, and a
// queue of them is one slice. The fields' meaning depends on the kind, see there.
type msg struct {
	kind   msgKind
	flags  uint8
	packer uint8 // a packer.Packer; of mPush and mReply the packer.Format of what the backend gave
	ref    connRef
	id     uint64 // shard.SessionID, or a slot
	a, b   uint64
	buf    *bufpool.Buf // one reference, which the receiver gives back
	fan    *bufpool.Buf // mDeliver: targets (deliver.go); mPush: the event
	cmd    *command     // what a backend asked, rare; mAttach, mPoll: the grant, if there is one
	done   Done         // mPush, mReply: who wants to know, nil = nobody
}

// session is id as the shard's own type.
func (m *msg) session() shard.SessionID { return shard.SessionID(m.id) }
