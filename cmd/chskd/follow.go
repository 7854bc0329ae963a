package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// How long `chskd events --follow` waits before it tries again: at first the one, then twice as
// long each time up to the other, each made up to half longer at random, so that many who lost the
// same daemon do not come back at once.
const (
	followSoon = 100 * time.Millisecond
	followSlow = 5 * time.Second
)

// follow prints streams until ctx ends, which is no error, or the daemon refuses what is asked for.
// What keeps it from printing is told once, until it is something else.
func follow(ctx context.Context, p *eventPrinter, errs io.Writer) error {
	told := ""
	wait := followSoon
	p.begun = func() {
		if told != "" {
			fmt.Fprintln(errs, "chskd: connected again")
		}
		told, wait = "", followSoon
	}
	for {
		err := p.run(ctx)
		var e *cliError
		if err == nil || !errors.As(err, &e) || e.code != exitUnreachable {
			return err
		}
		if text := err.Error(); text != told {
			told = text
			fmt.Fprintf(errs, "chskd: %s; trying again\n", text)
		}
		select {
		case <-time.After(wait + rand.N(wait/2)):
		case <-ctx.Done():
			return nil
		}
		wait = min(2*wait, followSlow)
	}
}
