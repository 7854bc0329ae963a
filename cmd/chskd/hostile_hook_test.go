package main_test

import (
	"fmt"
	"testing"
)

// TestHostileHook: the application that says who clients are accepts questions and answers none,
// while hundreds ask for it. Each of them is told 503 in the end; those who are known go on, and so
// does everything when the application does. What it says in its answers, and how it dies, is in
// identity_hook_test.go.
func TestHostileHook(t *testing.T) {
	t.Parallel()
	const n, workers = 200, 4
	a := newApplication(t, false)
	a.say("user=healthy", `{"uid":"healthy","expires_in_ms":3600000}`)
	a.say("user=late", `{"uid":"late"}`)
	s := besiege(t, plan{fields: cookie("user=healthy"), flags: []string{
		"--auth", "hook", "--hook-url", a.url, "--hook-timeout", "300ms",
		"--hook-workers", fmt.Sprint(workers), "--hook-queue", "32",
	}})
	a.stall()
	var mobs []*mob
	for _, request := range []func(i int, fields ...string) string{
		func(i int, fields ...string) string {
			return rawUpgrade(fmt.Sprintf("/chsk?client-id=evil%d", i), fields...)
		},
		func(i int, fields ...string) string {
			return rawGet(fmt.Sprintf("/chsk?client-id=evil%d&handshake%%3F", i), fields...)
		},
		func(i int, fields ...string) string {
			return rawPost("/chsk", ajaxForm(fmt.Sprint("evil", i), "[[:x/y] nil]"), fields...)
		},
	} {
		m := s.dial(n)
		m.say(func(i int) string { return request(i, cookie(fmt.Sprintf("user=evil%d", i))...) })
		mobs = append(mobs, m)
	}
	s.sees(1, "chskd_hook_timeouts_total")
	s.goesOn()
	for _, m := range mobs {
		if got := m.answered(); got[503] != n {
			t.Errorf("answers by status: %v", got)
		}
		m.close()
	}
	s.sees(3*n, "chskd_hook_timeouts_total", "chskd_identity_unchecked_total{", "chskd_identity_joined_total")
	a.release()
	s.await(func() error { // the application was left alone for a while
		m := s.dial(1)
		defer m.close()
		m.sayAll(rawUpgrade("/chsk?client-id=late", cookie("user=late")...))
		return differ("new clients", fmt.Sprint(m.answered()), "map[101:1]")
	})
	s.bounded(40 << 20)
	s.over()
}
