package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// chatBatch is a push of n events of about 90 bytes, as edn: what a chat room sends.
func chatBatch(n int) string {
	words := strings.Fields(
		"see you at the usual place tonight or tomorrow if weather holds and nobody " +
			"forgets bring something nice for all who were not there last time we met by river bank " +
			"café maybe after nine then let me know soon what else is needed please thanks ok great " +
			"sure why")
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("[[")
	for range n {
		text := words[r.IntN(len(words))]
		for range 3 + r.IntN(3) {
			text += " " + words[r.IntN(len(words))]
		}
		fmt.Fprintf(&b, "[:chat/message {:room-id %d, :from \"user-%d\", :text \"%s\", :at %d}] ",
			17+r.IntN(3), 4000+r.IntN(1000), text, 1704164645000+r.IntN(1e9))
	}
	b.WriteString("] nil]")
	return b.String()
}

// The table of sizes in docs/values.md is what is measured: batches with references, written by
// transit-js and by the library with taoensso's key cache, and by ours without.
func TestSizesOfReferences(t *testing.T) {
	need(t, jvm, transitJS, msgpackJS)
	doc, err := os.ReadFile("../../docs/values.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 10, 250} {
		batch := chatBatch(n)
		asked := []string{jvm.trees(t, "tree", []string{batch})[0].String()}
		for _, c := range []struct {
			f    packer.Format
			refs string
		}{
			{packer.Transit, transitJS.written(t, "transit", asked)[0]},
			{packer.Msgpack, msgpackJS.written(t, "msgpack", asked)[0]},
		} {
			plain := transcoded(t, c.f, batch, packer.EDN)
			checkSizes(t, string(doc), fmt.Sprintf("| %v | %d |", c.f, n),
				[]int{len(plain), len(c.refs), gzipped(plain), gzipped(c.refs)})
		}
	}
}

func gzipped(message string) int {
	var g packer.Gzip
	return len(g.Pack(nil, []byte(message)))
}

// checkSizes wants the row that begins with head to hold sizes, within what another version of a
// compressor may make of it.
func checkSizes(t *testing.T, doc, head string, sizes []int) {
	t.Helper()
	const tolerance = 3 // percent
	row := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(head) + "(.*)$").FindStringSubmatch(doc)
	if row == nil {
		t.Errorf("%s: no row; measured %d", head, sizes)
		return
	}
	cells := strings.Split(row[1], "|")
	for i, size := range sizes {
		told, err := strconv.Atoi(strings.TrimSpace(cells[i]))
		if err != nil || 100*abs(told-size) > tolerance*size {
			t.Errorf("%s%s\nmeasured %d", head, row[1], sizes)
			return
		}
	}
}

func abs(n int) int { return max(n, -n) }
