// Package values measures what values cost: chskd's packer beside the libraries that a Go program
// would take for the same formats. It is a module of its own, so that they never enter chskd's.
//
// The events are the same in every format: one of about 90 bytes as chat sends them, a page of a
// table of 2 KB, and a nested state of 100 KB, as edn writes them. Nothing in them is random.
//
// run.sh runs it all and prints the tables of docs/benchmarks.md.
package values

import (
	"fmt"
	"strings"

	"github.com/chskd/chskd/packer"
)

// Event is one event in every format.
type Event struct {
	Name string // its size in edn: 90B, 2KB, 100KB
	In   [packer.Count][]byte
	// Plain is the event as msgpack of other programs: names and ids are strings, no extensions.
	Plain []byte
}

// Events are the three events.
func Events() []Event {
	var events []Event
	for _, e := range []struct{ name, edn string }{
		{"90B", chat}, {"2KB", table(17)}, {"100KB", state(24)},
	} {
		event := Event{Name: e.name}
		for f := range packer.Count {
			event.In[f] = written(f, []byte(e.edn), packer.EDN)
		}
		event.Plain = written(packer.Msgpack, event.In[packer.JSON], packer.JSON)
		events = append(events, event)
	}
	return events
}

// written is the value src of format from in format to. Strings stay strings.
func written(to packer.Format, src []byte, from packer.Format) []byte {
	out, err := packer.Append(nil, to, src, from, packer.Options{StringKeys: true})
	if err != nil {
		panic(err)
	}
	return out
}

const chat = `[:chat/send {:room-id "ops", :text "deploy finished on eu-1", ` +
	`:urgent true, :mentions 17}]`

// table is a page of orders.
func table(rows int) string {
	var b strings.Builder
	b.WriteString(`[:orders/page {:page 3, :pages 41, :sort :placed, :rows [`)
	for i := range rows {
		fmt.Fprintf(&b, `{:id %d, :customer "%s", :status :%s, :total %d.%02d, :items %d, `+
			`:paid? %t, :note %s}`, 48_200+37*i, customers[i%len(customers)],
			statuses[i%len(statuses)], 19+173*i%900, 7*i%100, 1+i%9, i%3 != 0, notes[i%len(notes)])
		b.WriteByte(' ')
	}
	b.WriteString(`]}]`)
	return b.String()
}

var (
	customers = []string{"Ada Lovelace", "Grace Hopper", "Zoë Müller", "Ken Thompson", "山田花子"}
	statuses  = []string{"open", "packed", "shipped", "returned"}
	notes     = []string{"nil", `"ring twice"`, "nil", `"gift \"Happy birthday\""`}
)

// state is what a client loads at first: rooms with members, messages and settings.
func state(rooms int) string {
	var b strings.Builder
	b.WriteString(`[:app/state {:version 912, :server/started #inst "2026-01-05T08:30:00.000-00:00", `)
	b.WriteString(`:me {:user/id #uuid "5f1c2b7e-3d44-4a53-9c1e-0b6d7f8a9e10", :user/name "ada", `)
	b.WriteString(`:roles #{:admin :ops}}, :rooms {`)
	for r := range rooms {
		fmt.Fprintf(&b, `"room-%d" {:room/title "Room number %d", :open? %t, :load %d.%d, :members [`,
			r, r, r%4 != 0, r%10, r*7%10)
		for m := range 12 {
			fmt.Fprintf(&b, `{:user/name "user%d", :role :%s, :seen %d} `, 100*r+m,
				[]string{"admin", "member", "guest"}[m%3], 1_767_600_000_000+int64(60_000*r*m))
		}
		b.WriteString(`], :messages [`)
		for m := range 24 {
			fmt.Fprintf(&b, `{:id %d, :from "user%d", :at %d, :text "%s", :reactions {:up %d, :down %d}} `,
				10_000*r+m, 100*r+m%12, 1_767_600_000_000+int64(1_000*r*m), texts[(r+m)%len(texts)], m%5, m%2)
		}
		b.WriteString(`], :settings {:notify {:mail false, :push {:from 8, :to 22}}, :theme nil}} `)
	}
	b.WriteString(`}}]`)
	return b.String()
}

var texts = []string{
	"Deploy of eu-1 finished without errors, watching the graphs for another ten minutes.",
	"ok",
	"Could somebody look at ticket 4711? The customer says \\\"it does not work\\\".",
	"Schöne Grüße aus Köln, bis später!",
	"line one\\nline two\\nline three",
	"今日はとても良い天気ですね。",
	"Thanks, merged.",
	"The new index cuts the slow query from 340 ms to 12 ms on the replica.",
}
