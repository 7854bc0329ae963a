package engine

import (
	"encoding/binary"

	"github.com/chskd/chskd/arena"
	"github.com/chskd/chskd/auth"
)

// identity is who a conn speaks for: tenant, uid and client-id. It travels between
// loops and rests in a loop's arena as one byte string:
//
//	flags(1) len(tenant)(1) len(uid)(2) tenant uid client
//
// where uid is left out when it equals the client-id (auth mode client), and a client-id
// that is a UUID, as those of stock clients, is the 16 bytes that it says. The grant does
// not travel with it.
type identity struct {
	tenant, uid, client []byte
	nilUID              bool
	grant               *auth.Grant // nil: of a mode that nobody need be asked for
	came                uint32      // when its request was read, which may be before its grant was
}

const (
	identNilUID  = 1 << 0
	identSame    = 1 << 1 // uid == client
	identPacked  = 1 << 2 // client is a packed UUID
	identHeadLen = 4
	maxTenantLen = 255
)

// appendIdentity appends the byte string of id to dst.
func appendIdentity(dst []byte, id *identity) []byte {
	var flags byte
	uid, client := id.uid, id.client
	packed, isUUID := arena.PackUUID(client)
	if isUUID {
		flags, client = identPacked, packed[:]
	}
	if id.nilUID {
		flags |= identNilUID
		uid = nil
	} else if string(uid) == string(id.client) {
		flags |= identSame
		uid = nil
	}
	dst = appendIdentHead(dst, flags, len(id.tenant), len(uid))
	dst = append(dst, id.tenant...)
	dst = append(dst, uid...)
	return append(dst, client...)
}

func appendIdentHead(dst []byte, flags byte, tenantLen, uidLen int) []byte {
	dst = append(dst, flags, byte(tenantLen))
	return binary.LittleEndian.AppendUint16(dst, uint16(uidLen))
}

// appendNames is appendIdentity of strings, for what does not rest: nothing is made shorter.
// It returns the identity too, whose slices are parts of dst.
func appendNames(dst []byte, tenant, uid, client string, nilUID bool) ([]byte, identity) {
	var flags byte
	if nilUID {
		flags, uid = identNilUID, ""
	}
	dst = appendIdentHead(dst, flags, len(tenant), len(uid))
	at := len(dst)
	dst = append(append(append(dst, tenant...), uid...), client...)
	names := dst[at:]
	id := identity{tenant: names[:len(tenant)], client: names[len(tenant)+len(uid):], nilUID: nilUID}
	if !nilUID {
		id.uid = names[len(tenant):][:len(uid)]
	}
	return dst, id
}

// identityOf is who a WebSocket speaks for, valid until the next identity is parsed.
func (l *loop) identityOf(c *conn) identity {
	l.who = l.ids.Append(l.who[:0], c.who)
	return l.parseIdentity(l.who)
}

// parseIdentity reads what appendIdentity wrote, all of b. The slices of the result
// are parts of b, and client valid until the next call.
func (l *loop) parseIdentity(b []byte) identity {
	nt := int(b[1])
	nu := int(binary.LittleEndian.Uint16(b[2:]))
	rest := b[identHeadLen:]
	id := identity{tenant: rest[:nt], uid: rest[nt : nt+nu], client: rest[nt+nu:]}
	if b[0]&identPacked != 0 {
		id.client = arena.AppendUUID(l.client[:0], id.client)
	}
	switch {
	case b[0]&identNilUID != 0:
		id.nilUID, id.uid = true, nil
	case b[0]&identSame != 0:
		id.uid = id.client
	}
	return id
}
