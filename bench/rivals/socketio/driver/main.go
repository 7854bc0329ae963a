// Command driver measures a Socket.IO server as `chskd bench` measures one of Sente's protocol, and
// prints the same members of JSON: idle, ping (an event and its acknowledgement), broadcast. Only
// what the server's process uses is measured; this program's own latencies would say more of itself.
//
//	driver idle      --url ws://127.0.0.1:8090/ --conns 18000 --from 4000 --step 2000 --pid PID
//	driver ping      --url ws://127.0.0.1:8090/ --conns 1000 --outstanding 64 --duration 3s --pid PID
//	driver broadcast --url ws://127.0.0.1:8090/ --conns 10000 --rate 2 --duration 4s --pid PID
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"
)

type options struct {
	url                      string
	conns, from, step        int
	pid, size, outstanding   int
	rate                     float64
	settle, duration, limits time.Duration
}

// report has the members of `chskd bench --json` that there is something to say for.
type report struct {
	Scenario   string      `json:"scenario"`
	URL        string      `json:"url"`
	Conns      int         `json:"conns"`
	Handshakes operations  `json:"handshakes"`
	Idle       *idle       `json:"idle,omitempty"`
	Ping       *operations `json:"ping,omitempty"`
	Broadcast  *broadcast  `json:"broadcast,omitempty"`
}

type operations struct {
	Count int64 `json:"count"`
	CPU   cost  `json:"server_cpu"`
}

type idle struct {
	RSS fit `json:"rss_per_conn"`
}

type broadcast struct {
	Pushed int  `json:"pushed"`
	CPU    cost `json:"server_cpu"`
	Seen   struct {
		Events int64 `json:"events"`
		Lost   int64 `json:"lost"`
	} `json:"seen"`
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: driver idle|ping|broadcast FLAGS")
	}
	var o options
	f := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	f.StringVar(&o.url, "url", "", "The server")
	f.IntVar(&o.conns, "conns", 1000, "WebSockets to open")
	f.IntVar(&o.from, "from", 1000, "idle: first step")
	f.IntVar(&o.step, "step", 1000, "idle: size of a step")
	f.IntVar(&o.pid, "pid", 0, "The server's process")
	f.IntVar(&o.size, "size", 128, "broadcast: bytes of an event's text")
	f.IntVar(&o.outstanding, "outstanding", 64, "ping: how many at a time")
	f.Float64Var(&o.rate, "rate", 2, "broadcast: a second")
	f.DurationVar(&o.settle, "settle", time.Second, "Rest before memory is read, or events are sent")
	f.DurationVar(&o.duration, "duration", 3*time.Second, "How long to measure")
	f.DurationVar(&o.limits, "timeout", 30*time.Second, "Limit of each step")
	f.Bool("json", true, "Always so")
	if err := f.Parse(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	r, err := run(os.Args[1], &o)
	if err != nil {
		log.Fatal(err)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		log.Fatal(err)
	}
	if r.Broadcast != nil && r.Broadcast.Seen.Lost > 0 {
		log.Fatalf("%d events lost or out of order", r.Broadcast.Seen.Lost)
	}
}

func run(scenario string, o *options) (*report, error) {
	f := &fleet{o: o, url: strings.TrimSuffix(o.url, "/chsk") + "/socket.io/?EIO=4&transport=websocket"}
	r := &report{Scenario: scenario, URL: o.url, Conns: o.conns}
	if scenario == "idle" {
		return r, f.idle(r)
	}
	if err := f.connect(o.conns); err != nil {
		return nil, err
	}
	r.Handshakes = operations{int64(o.conns), f.handshakes}
	time.Sleep(o.settle)
	switch scenario {
	case "ping":
		return r, f.ping(r)
	case "broadcast":
		return r, f.broadcast(r)
	}
	return nil, fmt.Errorf("unknown scenario %q", scenario)
}

func (f *fleet) idle(r *report) error {
	var x, y []float64
	for n := f.o.from; ; n = min(n+f.o.step, f.o.conns) {
		if err := f.connect(n - len(f.conns)); err != nil {
			return err
		}
		time.Sleep(f.o.settle)
		rss, err := memory(f.o.pid)
		if err != nil {
			return err
		}
		x, y = append(x, float64(n)), append(y, float64(rss))
		if n == f.o.conns {
			break
		}
	}
	r.Handshakes = operations{int64(f.o.conns), f.handshakes}
	r.Idle = &idle{RSS: leastSquares(x, y)}
	return nil
}

// ping sends the event `p` with an acknowledgement id on some connections, each again when it was
// answered, until the time is over.
func (f *fleet) ping(r *report) error {
	begin := time.Now()
	used, err := measure(f.o.pid, func() error {
		var wg sync.WaitGroup
		errs := make(chan error, f.o.outstanding)
		for i := range f.o.outstanding {
			wg.Go(func() {
				for n := i; time.Since(begin) < f.o.duration; n += f.o.outstanding {
					if err := f.conns[n%len(f.conns)].ask(f.o.limits); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		return <-errs
	})
	if err != nil {
		return err
	}
	count := f.acks()
	r.Ping = &operations{count, newCost(used, count)}
	return nil
}

// broadcast has the first connection emit `push`, which the server emits to all.
func (f *fleet) broadcast(r *report) error {
	count := int(f.o.rate * f.o.duration.Seconds())
	begin := time.Now()
	used, err := measure(f.o.pid, func() error {
		for i := range count {
			time.Sleep(time.Until(begin.Add(time.Duration(float64(i) / f.o.rate * 1e9))))
			head := fmt.Sprintf(`[%d,"`, i+1)
			pad := strings.Repeat("x", f.o.size-len(`["n",`)-len(head)-len(`"]]`))
			if err := f.conns[0].send(`42["push",` + head + pad + `"]]`); err != nil {
				return err
			}
		}
		return f.await(int64(count))
	})
	if err != nil {
		return err
	}
	events, wrong := f.events()
	r.Broadcast = &broadcast{Pushed: count, CPU: newCost(used, events)}
	r.Broadcast.Seen.Events = events
	r.Broadcast.Seen.Lost = int64(count)*int64(len(f.conns)) - events + wrong
	return nil
}
