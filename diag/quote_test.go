package diag

import "testing"

func TestShellWord(t *testing.T) {
	for _, c := range [][2]string{
		{"", "''"}, {"/a/b-c_d.e", "/a/b-c_d.e"}, {"2026:t@x%1,2+3", "2026:t@x%1,2+3"}, {"a b", "'a b'"}, {"it's", `'it'\''s'`}, {"~/x", "'~/x'"}, {"$x", "'$x'"}, {"é", "'é'"}, {"a\nb", "'a\nb'"},
	} {
		if got := ShellWord(c[0]); got != c[1] {
			t.Errorf("%q: %s, want %s", c[0], got, c[1])
		}
	}
}
