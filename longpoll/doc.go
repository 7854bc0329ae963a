// Package longpoll remembers HTTP requests that wait for an answer: polls
// (Table) and Ajax sends (Posts).
//
// It is pure: it takes refs, ids and the time, and says which request to answer
// when. Who answers, with which bytes, is the caller's business.
//
//	t := longpoll.New(20000, 1000)
//	if evicted := t.Park(now, ref, session); evicted != 0 {
//		// answer evicted :chsk/timeout
//	}
//	for {
//		ref, session, current, ok := t.Timeout(now)
//		if !ok {
//			break
//		}
//		// answer ref :chsk/timeout
//	}
//
// A session has one current poll, its newest. The ones before it that are still
// open stay until their own deadline: answering them at once would make two
// tabs with one client-id poll against each other without end.
//
// Owner: loop. Nothing here may be called from two goroutines.
package longpoll
