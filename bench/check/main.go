package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// golden is the file of numbers, from the root of the tree, where the guard runs.
const golden = "bench/check/golden.txt"

func main() {
	update := flag.Bool("update", false, "write "+golden+" instead of comparing with it")
	times := flag.Int("repeat", 0, "count so often and show how far the runs lie apart")
	instructions := flag.Bool("instructions", true, "count instructions where valgrind is there")
	flag.Parse()
	err := run(*update, *times, *instructions)
	if err != nil {
		if !errors.Is(err, errGrew) {
			fmt.Fprintln(os.Stderr, "bench-check:", err)
		}
		os.Exit(1)
	}
}

// errGrew has been told already.
var errGrew = errors.New("something grew")

func run(update bool, times int, instructions bool) (err error) {
	if _, err := os.Stat(filepath.Dir(golden)); err != nil {
		return fmt.Errorf("run it in the root of the tree: %w", err)
	}
	b, err := newBuilder(instructions)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if times > 0 {
		return repeat(b, times, os.Stdout, os.Stderr)
	}
	if update {
		return write(b)
	}
	return check(b)
}

// write takes the least of two runs.
func write(b *builder) error {
	is := newCounts()
	for range 2 {
		if err := b.run(paths, is, os.Stderr); err != nil {
			return err
		}
	}
	if is.counter == "none" {
		return errors.New("the numbers need valgrind (Debian: apt-get install valgrind)")
	}
	return writeGolden(golden, is)
}

// check believes what grew only when it did three times: a runtime has work of its own.
func check(b *builder) error {
	was, err := readGolden(golden)
	if err != nil {
		return err
	}
	is, rows := newCounts(), paths
	var c *comparison
	for range 3 {
		if err := b.run(rows, is, os.Stderr); err != nil {
			return err
		}
		if c = compare(was, is); len(c.grew) == 0 {
			break
		}
		rows = c.rowsOf(rows)
	}
	if err := c.report(os.Stdout, len(is.of)); err != nil {
		return err
	}
	if !c.ok() {
		return errGrew
	}
	return nil
}
