package jwt

import (
	"net/http"
	"time"
)

// AgainAfter sets the least time between two fetches that tokens cause.
func (k *Keys) AgainAfter(d time.Duration) {
	k.remote.mu.Lock()
	defer k.remote.mu.Unlock()
	k.remote.every = d
}

// Redirect says whether the server may send us to an address.
func (k *Keys) Redirect(to string) error {
	q, err := http.NewRequest(http.MethodGet, to, nil)
	if err != nil {
		return err
	}
	return k.remote.redirect(q, nil)
}
