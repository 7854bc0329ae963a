package httpmin_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chskd/chskd/internal/wirecases"
)

// TestConformance plays every case whole, cut in two everywhere, byte by byte and in random pieces;
// and with a good request behind it, which must be read exactly where the verdict says so.
func TestConformance(t *testing.T) {
	sections := map[string]int{}
	for _, c := range wirecases.HTTPCases() {
		words := strings.Fields(c.Name)
		sections[words[0]+" "+words[1]+" "+strings.SplitN(words[2], ".", 2)[0]]++
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			checkStream(t, c.In, c.Want)
			switch last := c.Want[len(c.Want)-1]; {
			case last == "open":
			case c.Ends():
				checkStream(t, c.In+wirecases.Behind, c.Want)
			default:
				checkStream(t, c.In+wirecases.Behind, append(slices.Clone(c.Want), "ok"))
			}
		})
	}
	t.Logf("cases: %v", sections)
}

// checkStream reads in, cut in all ways, and wants the same each time.
func checkStream(t *testing.T, in string, want []string) {
	t.Helper()
	check := func(cuts ...int) {
		t.Helper()
		requests, end := wirecases.ReadHTTP(in, cuts)
		if got := wirecases.Verdict(requests, end, want); !slices.Equal(got, want) {
			t.Fatalf("cut at %.40v:\n got %.200q\nwant %.200q", cuts, got, want)
		}
	}
	check()
	places := wirecases.Cuts(len(in))
	for i, at := range places {
		if i%5 == 0 || !testing.Short() {
			check(at)
		}
	}
	if len(in) <= 2000 {
		check(places...)
	}
	rnd := rand.New(rand.NewPCG(9112, uint64(len(in))))
	for range 20 {
		var cuts []int
		for range 1 + rnd.IntN(6) {
			cuts = append(cuts, rnd.IntN(len(in)+1))
		}
		slices.Sort(cuts)
		check(cuts...)
	}
}
