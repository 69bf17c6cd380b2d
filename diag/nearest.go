package diag

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Nearest returns the one candidate within edit distance 2 and a third of the word's length, or "".
//
// Inserting, removing, replacing a character and swapping two neighbours count one each. Of several candidates the nearest
// wins, and among equally near ones the first in byte order, so the answer does not depend on the order of candidates.
// A candidate equal to the word is no suggestion; one that is the word in other letters, UI for ui, is the nearest of all.
func Nearest(word string, candidates []string) string {
	limit := min(limitMax, utf8.RuneCountInString(word)/3)
	best, bestDistance := "", limit+1
	wordRunes := []rune(word)
	wordSet := characterSet(word)
	var candidate []rune
	for _, c := range candidates {
		if len(c) == len(word) && c != word && strings.EqualFold(c, word) {
			if bestDistance > 0 || c < best {
				best, bestDistance = c, 0
			}
			continue
		}
		// Two cheap looks first: there may be thousands of candidates, for thousands of misspelt references.
		if limit == 0 || bestDistance == 0 || c == word || abs(len(c)-len(word)) > utf8.UTFMax*limit || excess(wordSet, characterSet(c)) > limit {
			continue
		}
		candidate = candidate[:0]
		for _, r := range c {
			candidate = append(candidate, r)
		}
		d := distance(wordRunes, candidate, min(limit, bestDistance))
		if d < bestDistance || d == bestDistance && d <= limit && c < best {
			best, bestDistance = c, d
		}
	}
	return best
}

// characterSet is a set of the ASCII characters of s, folded to 64 members.
func characterSet(s string) (set uint64) {
	for i := 0; i < len(s); i++ {
		if s[i] < utf8.RuneSelf {
			set |= 1 << (s[i] & 63)
		}
	}
	return set
}

// excess is a lower bound of the edits that turn a text with the one set into a text with the other: an edit brings in at
// most one character and removes at most one.
func excess(a, b uint64) int { return max(bits.OnesCount64(a&^b), bits.OnesCount64(b&^a)) }

// limitMax is the largest limit of distance.
const limitMax = 2

// distance is the optimal string alignment distance of a and b, or limit+1 when it is larger than limit.
//
// What they have in common at both ends is left out, and of the table only the cells within limit of the diagonal are
// computed: all others are beyond the limit.
func distance(a, b []rune, limit int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if abs(len(a)-len(b)) > limit {
		return limit + 1
	}
	// Cell k of a row is column i+k-limitMax; the rows are those of i-2, i-1 and i.
	const width = 2*limitMax + 1
	far := limit + 1
	var before, last, here [width + 1]int
	for k := range width + 1 {
		before[k], last[k] = far, far
		if j := k - limitMax; 0 <= j && j <= limit && k < width {
			last[k] = j
		}
	}
	leastBefore := 0
	for i := 1; i <= len(a); i++ {
		least := far
		for k := range width {
			j := i + k - limitMax
			d := far
			switch {
			case j < 0 || j > len(b):
			case j == 0:
				d = min(far, i)
			default:
				cost := 1
				if a[i-1] == b[j-1] {
					cost = 0
				}
				d = min(d, last[k]+cost, last[k+1]+1)
				if k > 0 {
					d = min(d, here[k-1]+1)
				}
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					d = min(d, before[k]+1)
				}
			}
			here[k] = d
			least = min(least, d)
		}
		here[width] = far
		// A swap looks back two rows, so one row beyond the limit is not the end.
		if least >= far && leastBefore >= far {
			return far
		}
		leastBefore = least
		before, last = last, here
	}
	if k := len(b) - len(a) + limitMax; k >= 0 && k < width {
		return last[k]
	}
	return far
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
