package metrics

import "math/bits"

// HistogramBuckets is the number of buckets of every Histogram.
const HistogramBuckets = 18

// Histogram counts values by powers of two: bucket i has those above 1<<(i-1) and up to
// 1<<i units, the first also 0, the last all that are larger. The unit is its owner's.
//
// Owner: loop. Load: any goroutine.
type Histogram struct {
	Buckets [HistogramBuckets]Counter
	Sum     Counter // of all values, in units
}

// BucketOf is the bucket that counts v.
func BucketOf(v uint64) int {
	if v <= 1 {
		return 0
	}
	return min(bits.Len64(v-1), HistogramBuckets-1)
}

// Observe counts one value. Owner only.
func (h *Histogram) Observe(v uint64) {
	h.Buckets[BucketOf(v)].Add(1)
	h.Sum.Add(v)
}

// Tally collects, in plain memory, what a Histogram is to count: for what happens
// thousands of times a turn. A store that readers may see costs more than all the rest.
//
// Owner: loop.
type Tally struct {
	buckets [HistogramBuckets]uint32
	sum     uint64
	any     bool
}

// Observe notes a value that was seen n times.
func (t *Tally) Observe(v uint64, n uint32) {
	t.buckets[BucketOf(v)] += n
	t.sum += v * uint64(n)
	t.any = true
}

// AddTo adds what was noted to h, and begins anew.
func (t *Tally) AddTo(h *Histogram) {
	if !t.any {
		return
	}
	for i, n := range t.buckets {
		if n > 0 {
			h.Buckets[i].Add(uint64(n))
		}
	}
	h.Sum.Add(t.sum)
	*t = Tally{}
}
