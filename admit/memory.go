package admit

import "sync"

// Memory remembers which uid a client-id named last, bounded in number: in auth
// mode dev the uid is a query parameter, which a Sente client sends with its
// sockets and polls but not with its POSTs.
//
// It keeps two generations; when the younger is full the older is forgotten, so
// that what is in use stays and nothing is scanned.
//
// Any goroutine.
type Memory struct {
	max int

	mu         sync.Mutex
	young, old map[string]string
}

// NewMemory makes a memory of at least max and at most 2*max entries.
func NewMemory(max int) *Memory {
	return &Memory{max: max, young: map[string]string{}}
}

// Put remembers uid for client. Both are copied.
func (m *Memory) Put(client, uid []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.young[string(client)] == string(uid) {
		return
	}
	m.put(string(client), string(uid))
}

func (m *Memory) put(client, uid string) {
	if len(m.young) >= m.max {
		m.old, m.young = m.young, make(map[string]string, m.max/4)
	}
	m.young[client] = uid
}

// Get returns what was put for client last, unless that was forgotten.
func (m *Memory) Get(client []byte) (uid string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if uid, ok = m.young[string(client)]; ok {
		return uid, true
	}
	if uid, ok = m.old[string(client)]; ok {
		m.put(string(client), uid)
	}
	return uid, ok
}
