package wsframe_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chskd/chskd/internal/wirecases"
)

// TestConformance plays every case whole, cut in two everywhere, byte by byte and in random pieces.
func TestConformance(t *testing.T) {
	const longest = 1 << 20
	sections := map[string]int{}
	for _, c := range wirecases.FrameCases() {
		sections[strings.Fields(c.Name)[2]]++
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			check := func(cuts ...int) {
				t.Helper()
				if got := wirecases.ReadFrames(c.In, cuts, longest); !slices.Equal(got, c.Want) {
					t.Fatalf("cut at %.40v:\n got %.200q\nwant %.200q", cuts, got, c.Want)
				}
			}
			check()
			places := wirecases.Cuts(len(c.In))
			for i, at := range places {
				if i%5 == 0 || !testing.Short() {
					check(at)
				}
			}
			check(places...)
			rnd := rand.New(rand.NewPCG(6455, uint64(len(c.In))))
			for range 20 {
				var cuts []int
				for range 1 + rnd.IntN(6) {
					cuts = append(cuts, rnd.IntN(len(c.In)+1))
				}
				slices.Sort(cuts)
				check(cuts...)
			}
		})
	}
	t.Logf("cases: %v", sections)
}
