package jwt

import "time"

// AgainAfter sets the least time between two fetches that tokens cause.
func (k *Keys) AgainAfter(d time.Duration) {
	k.remote.mu.Lock()
	defer k.remote.mu.Unlock()
	k.remote.every = d
}
