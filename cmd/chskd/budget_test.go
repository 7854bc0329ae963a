package main_test

import (
	"fmt"
	"testing"
)

// The budget of memory (docs/budget.md) with real connections, gnet's part and all: how much
// the resident memory of a daemon grows from the first to the last of them. What is there
// without any connection does not count, and little of what garbage takes, for the daemon
// collects it early.

const (
	budgetFirst  = 5000
	budgetLast   = 15000
	budgetAtOnce = 500

	// budgetRSS is of an idle client, in bytes: the mark is 800, and what has just been
	// connected leaves some deadlines and garbage behind.
	budgetRSS = 900
)

func TestBudgetOfRSS(t *testing.T) {
	if testing.Short() {
		t.Skip("15,000 connections")
	}
	for _, c := range []struct {
		name    string
		counter string
		join    func(c *crowd, first int)
	}{
		{"idle WebSockets", "ws_now", func(c *crowd, first int) {
			for i := first; i < first+budgetAtOnce; i++ {
				c.join(rawUpgrade("/chsk?"+budgetClient(i), budgetUser(i)))
			}
			c.await(c.members[first:], greeting)
		}},
		{"parked polls", "polls_now", func(c *crowd, first int) {
			for i := first; i < first+budgetAtOnce; i++ {
				c.join(rawGet("/chsk?udt=1&handshake%3F=1&"+budgetClient(i), budgetUser(i)))
			}
			c.await(c.members[first:], greeting)
			for i, m := range c.members[first:] {
				m.send(c.t, rawGet("/chsk?udt=2&"+budgetClient(first+i), budgetUser(first+i)))
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			needFiles(t, budgetLast)
			d := startDaemonUnder(t, []string{"env", "GOGC=10"}, "--auth=header", "--header-uid=X-User",
				"--trusted-proxies=127.0.0.1", "--ws-kalive-ms", "240000", "--lp-timeout-ms", "59000")
			clients := newCrowd(t, d)
			first := 0
			for n := 0; n < budgetLast; n += budgetAtOnce {
				if n == budgetFirst {
					first = residentBytes(t, d)
				}
				c.join(clients, n)
			}
			(&backend{t, d}).awaitCounter(c.counter, budgetLast)
			each := (residentBytes(t, d) - first) / (budgetLast - budgetFirst)
			t.Logf("%d B of RSS a client", each)
			if each > budgetRSS {
				t.Errorf("a client takes %d B of RSS; docs/budget.md says at most %d", each, budgetRSS)
			}
		})
	}
}

// Ids as stock clients and applications have them: a UUID, and a short uid.

func budgetClient(i int) string {
	return fmt.Sprintf("client-id=%08x-7c1f-4d52-9b1e-0c9fd52b5e3a", uint32(i)*0x9e3779b9)
}

func budgetUser(i int) string { return fmt.Sprintf("X-User: user-%d", i) }
