package state

import "testing"

func TestParseStat(t *testing.T) {
	for _, c := range []struct {
		text            string
		parent, session int
		ok              bool
	}{
		{"12 (sh) S 7 12 9 0 -1", 7, 9, true},
		{"12 (a) R 1 (b) S 7 12 9 0", 7, 9, true}, // a name may hold what looks like fields
		{"12 (sh) S 7 12", 0, 0, false},
		{"12 (sh) S x 12 9", 0, 0, false},
		{"", 0, 0, false},
	} {
		parent, session, ok := parseStat(c.text)
		if parent != c.parent || session != c.session || ok != c.ok {
			t.Errorf("%q: %d %d %v, want %d %d %v", c.text, parent, session, ok, c.parent, c.session, c.ok)
		}
	}
}
