package workspace

import (
	"slices"
	"strings"
	"testing"
)

func TestPrograms(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{"mytool", "mytool"},
		{"mkdir -p out && cat a | sort -u > out/x; ! grep -q x out/x", "mkdir cat sort grep"},
		{"A=1 B=$x tool arg", "tool"},
		{"2>err tool\ntool 2>&1 >log other", "tool"},
		{"if test -f x; then go build ./...; else make; fi\nnpm ci", "go make npm"},
		{"for f in a b c; do cc -c $f; done", "cc"},
		{"# gcc\ncd src && ./configure\n/usr/bin/ld x\necho done", ""},
		{`"$TOOL" x; 'quoted' y; \esc z; plain`, "plain"},
		{"a \\\n  b\nc", "a c"},
		{"(cd x && tool1) && { tool2; }", "tool1 tool2"},
		{"cat <<EOF\nnot a program\nEOF\nafter", "cat"},
		{"first; case $x in a) b;; esac", "first"},
		{"run() { tool; }\nrun", ""},
		{"x=$(git log); later", ""},
		{"echo `git log`; later", ""},
		{"tool && tool || tool &", "tool"},
		{"", ""},
		{"g++ x.c; clang-15 y.c; python3.11 z", "g++ clang-15 python3.11"},
		{`echo "a; b"; tool`, "tool"},
		{"sleep 1 & wait", "sleep"},
		{"'unclosed", ""},
	} {
		if got := Programs(c.script); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%q: %q, want %q", c.script, got, c.want)
		}
	}
}

// Whatever the script, the answer comes, and holds names.
func FuzzPrograms(f *testing.F) {
	f.Add("a; b | c && 'd' $(e) \\")
	f.Fuzz(func(t *testing.T, script string) {
		for _, p := range Programs(script) {
			if p == "" || strings.ContainsAny(p, "/ \t\n'\"$") {
				t.Errorf("%q of %q", p, script)
			}
		}
	})
}
