package demo

import (
	"context"
	"reflect"
	"time"
)

const (
	// settle gathers changes that come together, as when a browser restores its tabs.
	settle = 100 * time.Millisecond

	// A client that changes its transport stays in the old one's set for the grace time (2.5 s
	// and 5 s), and its leaving that set is no presence change; so the board looks a few times more.
	lookAgain    = time.Second
	lookAgainFor = 7 * time.Second

	// shown is how many users the page lists; the count is of all.
	shown = 200
)

// user is one line of the list of who is online, with the transports of their sessions.
type user struct {
	UID  string `json:"uid"`
	WS   bool   `json:"ws"`
	Ajax bool   `json:"ajax"`
}

// people is the data of chat/online and the reply to chat/hello.
type people struct {
	Users []user `json:"users"`
	Count int    `json:"count"`
}

// board tells every page who is online, whenever that changed.
type board struct {
	api  *api
	logf func(string, ...any)
	wake chan struct{} // holds one: changes that nobody looked at yet are one change
	told people
}

func newBoard(a *api, logf func(string, ...any)) *board {
	return &board{api: a, logf: logf, wake: make(chan struct{}, 1)}
}

// changed says that somebody came, left or changed transport. Any goroutine; never blocks.
func (b *board) changed() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// people asks chskd who is online. Any goroutine.
func (b *board) people(ctx context.Context) (people, error) {
	r, err := b.api.connected(ctx, shown)
	if err != nil {
		return people{}, err
	}
	ws, ajax := names(r.WS), names(r.Ajax)
	p := people{Users: []user{}, Count: max(r.Count["any"], len(r.Any))}
	for _, uid := range r.Any {
		if uid != nil {
			p.Users = append(p.Users, user{*uid, ws[*uid], ajax[*uid]})
		}
	}
	return p, nil
}

func names(uids []*string) map[string]bool {
	set := make(map[string]bool, len(uids))
	for _, uid := range uids {
		if uid != nil {
			set[*uid] = true
		}
	}
	return set
}

// run tells until ctx ends.
func (b *board) run(ctx context.Context) {
	var until time.Time
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
			until = time.Now().Add(lookAgainFor)
			if !sleep(ctx, settle) {
				return
			}
		case <-again:
		}
		b.tell(ctx)
		again = nil
		if time.Now().Before(until) {
			again = time.After(lookAgain)
		}
	}
}

// tell pushes the list if it is not the one that was told last.
func (b *board) tell(ctx context.Context) {
	now, err := b.people(ctx)
	if err == nil && !reflect.DeepEqual(now, b.told) {
		if err = b.api.pushAll(ctx, "chat/online", now); err == nil {
			b.told = now
		}
	}
	if err != nil && ctx.Err() == nil {
		b.logf("demo: %v", err)
	}
}

// sleep waits, and tells whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
