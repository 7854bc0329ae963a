package rate

// Max is the largest rate and burst of a Limit, in units.
const Max = 1 << 31

const milli = 1000 // parts of a unit

// Limit is how many units may come in a second, and how many at once.
//
// Immutable.
type Limit struct {
	PerSecond uint64 // 0 = no limit
	Burst     uint64 // over it Take refuses however long it was quiet
}

// PerSecond makes the limit of n units a second, of which a second's worth may come at
// once, but never less than least: a message that is longer than a second's worth must
// pass some time. n <= 0 is no limit. Numbers over Max count as Max.
func PerSecond(n, least int) Limit {
	if n <= 0 {
		return Limit{}
	}
	return Limit{PerSecond: uint64(min(n, Max)), Burst: uint64(min(max(n, least, 1), Max))}
}

// On says whether there is a limit at all.
func (l *Limit) On() bool { return l.PerSecond > 0 }

// Bucket is what of a limit is used up. The zero value is none. It is 16 bytes without
// pointers. Owner: whoever has it.
//
// Invariant: used <= Burst * milli of the limit that it is always used with.
type Bucket struct {
	used uint64 // thousandths of a unit
	at   uint32 // ms; when used was true
}

// Take uses n units at the time now, or refuses and uses none. A refusal costs nothing,
// so that who comes too often still gets as much as the limit allows.
//
// A clock that went back a little gives nothing back. After 49 days of silence the
// time that passed is not known, and the worst that it does is to count too little.
func (b *Bucket) Take(l *Limit, now uint32, n uint64) bool {
	if !b.Fits(l, now, n) {
		return false
	}
	b.used += min(n, Max) * milli
	return true
}

// Fits says whether Take would use n units now.
func (b *Bucket) Fits(l *Limit, now uint32, n uint64) bool {
	b.recover(l, now)
	return b.used+min(n, Max)*milli <= l.Burst*milli
}

// Idle says whether the bucket is as good as new: to forget it changes nothing.
func (b *Bucket) Idle(l *Limit, now uint32) bool {
	b.recover(l, now)
	return b.used == 0
}

// recover gives back what the time since the last call is worth.
func (b *Bucket) recover(l *Limit, now uint32) {
	passed := Passed(b.at, now)
	if passed == 0 && b.used > 0 {
		return
	}
	b.at = now
	// No overflow: passed < 1<<32, PerSecond <= 1<<31.
	b.used -= min(b.used, uint64(passed)*l.PerSecond)
}

// Passed is how many ms lie between two times, 0 when the later one came first: clocks of
// several loops are apart by a little, for which the last 2^20 ms before a wrap stand.
func Passed(from, to uint32) uint32 {
	const backwards = 1<<32 - 1<<20
	if d := to - from; d < backwards {
		return d
	}
	return 0
}
