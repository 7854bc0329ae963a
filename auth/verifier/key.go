package verifier

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/auth/hook"
)

// key stands for all of a request that its grant may depend on: the first byte chooses the shard,
// and two keys are the same only if all 32 bytes are. SHA-256, because who finds two requests of
// one key is somebody else; with a secret in front, so that nobody can look for them elsewhere.
type key [sha256.Size]byte

// keyer makes keys. Any goroutine. Immutable after newKeyer but for the pool.
type keyer struct {
	secret  [32]byte
	buffers sync.Pool // of *[]byte
}

// keepBuffer is the largest buffer that is kept: one of nearly every request.
const keepBuffer = 8 << 10

func newKeyer() *keyer {
	k := new(keyer)
	if _, err := rand.Read(k.secret[:]); err != nil {
		panic(err) // it does not happen
	}
	k.buffers.New = func() any { b := make([]byte, 0, 1<<10); return &b }
	return k
}

// of gives the key of a request: never the client-id alone, which the client chooses and others
// may know. Each field has its length in front, so that no byte can move from one to the next.
func (k *keyer) of(r *auth.Request, need *auth.Need) key {
	p := k.buffers.Get().(*[]byte)
	b := append((*p)[:0], k.secret[:]...)
	b = append(b, byte(need.Kind))
	b = appendField(b, r.Client)
	b = appendField(b, r.Cookie)
	b = appendField(b, r.Authorization)
	b = appendField(b, need.Token)
	b = appendField(b, r.Origin)
	if need.Kind == auth.NeedHook {
		b = appendQuestion(b, r)
	}
	sum := key(sha256.Sum256(b))
	if cap(b) <= keepBuffer {
		*p = b
		k.buffers.Put(p)
	}
	return sum
}

func appendField(b, field []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}

// appendQuestion appends what else the application is told, and so may look at.
func appendQuestion(b []byte, r *auth.Request) []byte {
	b = append(b, truth(r.Ajax), truth(r.Post))
	addr := r.Addr.As16() // the zero address is ::
	b = append(b, addr[:]...)
	for rest := r.Query; len(rest) > 0; {
		var param []byte
		if param, rest = nextParam(rest); param != nil {
			b = appendField(b, param)
		}
	}
	return b
}

func truth(is bool) byte {
	if is {
		return 1
	}
	return 0
}

// question is what the application is told of r, in memory of its own. It must not hold more
// than the key has.
func question(r *auth.Request) *hook.Question {
	q := &hook.Question{ClientID: string(r.Client), Transport: "ws", Method: "GET",
		Origin: string(r.Origin), Cookie: string(r.Cookie), Authorization: string(r.Authorization)}
	if r.Ajax {
		q.Transport = "ajax"
	}
	if r.Post {
		q.Method = "POST"
	}
	if r.Addr.IsValid() {
		q.Address = r.Addr.Unmap().WithZone("").String()
	}
	var kept [][]byte
	for rest := r.Query; len(rest) > 0; {
		var param []byte
		if param, rest = nextParam(rest); param != nil {
			kept = append(kept, param)
		}
	}
	q.Query = string(bytes.Join(kept, []byte("&")))
	return q
}

// senteParams are the parameters that Sente's clients send by themselves. The application is not
// told of them: udt differs in each poll, so nothing would be remembered, and the CSRF token is
// for us.
var senteParams = []string{"client-id", "csrf-token", "udt", "handshake?", "handshake%3F",
	"handshake%3f", "binary?", "binary%3F", "binary%3f", "ppstr"}

// nextParam cuts the first parameter off a query; nil = it is empty, or Sente's.
func nextParam(query []byte) (param, rest []byte) {
	param, rest, _ = bytes.Cut(query, []byte("&"))
	name, _, _ := bytes.Cut(param, []byte("="))
	if len(param) == 0 || slices.Contains(senteParams, string(name)) {
		return nil, rest
	}
	return param, rest
}
