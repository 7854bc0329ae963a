package config

import "strings"

// advice is what to write in place of a key that does not exist in a section (prefix "jwt.") or at
// the top (prefix "").
func advice(prefix, name string) string {
	k := nearest(prefix, name)
	if k == nil {
		return "`chskd config default` lists all"
	}
	section, leaf, nested := strings.Cut(k.Path, ".")
	switch {
	case !nested && prefix == "":
		return "write " + k.Path
	case !nested:
		return "write " + k.Path + " outside of the section " + strings.TrimSuffix(prefix, ".")
	case prefix == section+".":
		return "write " + leaf
	}
	return "write " + leaf + " in the section " + section
}

// nearest finds the key that was meant: the one of the fewest edits, by its whole name or by its
// last part, those of the same section first.
func nearest(prefix, name string) *Key {
	name = plain(name)
	var found *Key
	best := len(name)/3 + 1
	if best > 4 {
		best = 4
	}
	for _, same := range []bool{true, false} {
		for _, k := range keys {
			inSection := prefix == "" && !strings.Contains(k.Path, ".") ||
				prefix != "" && strings.HasPrefix(k.Path, prefix)
			if inSection != same {
				continue
			}
			whole := plain(k.Path)
			d := min(edits(whole, name), edits(whole, plain(prefix)+name))
			if _, leaf, nested := strings.Cut(k.Path, "."); nested {
				d = min(d, edits(plain(leaf), name))
			}
			if d < best {
				found, best = k, d
			}
		}
	}
	return found
}

// plain is a name without what people write differently: case, dots, dashes and underscores.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(name))
}

// edits is the number of characters to insert, delete, replace or swap with the next
// (optimal string alignment) that make b of a.
func edits(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
