package tree

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
)

// What lies too deep for a path to name it is not absent: an input walk fails, an output walk says that it may hide a match.
func TestTooLong(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	deep := "p" + strings.Repeat("/"+strings.Repeat("d", 100), 45)
	must(t, root.MkdirAll(deep, 0o755)) // goes there step by step
	must(t, root.WriteFile(deep+"/leaf", nil, 0o644))
	fs, err := fsys.Host(dir)
	must(t, err)
	defer fs.Close()
	tree := New(fs)
	if _, _, err := tree.Inputs(t.Context(), patterns(t, "/p/**"), nil); !errors.Is(err, syscall.ENAMETOOLONG) || len(err.Error()) > 400 {
		t.Errorf("inputs: %v", err)
	}
	out, err := tree.Outputs(t.Context(), patterns(t, "/p/**"))
	if err != nil || len(out.Hidden) != 1 || !strings.HasSuffix(out.Hidden[0], "file name too long") || len(out.Hidden[0]) > 400 {
		t.Errorf("outputs: %q, %v", out.Hidden, err)
	}
}

// Wildcards of outputs match what is called ".git" when the caller wants it, and what is not wanted is told.
func TestOutputsAndGit(t *testing.T) {
	tree := New(memory(t, "/.git/x /p/.git/x /p/a /p/s/.git /p/e/.git/"))
	var asked []string
	enter := func(path string, _ fsys.Info) bool {
		asked = append(asked, path)
		return path != "/p/s/.git"
	}
	paths := func(list []Match) string {
		var s []string
		for _, m := range list {
			s = append(s, m.Path)
		}
		return strings.Join(s, " ")
	}
	for _, c := range []struct{ out, want, git, asked string }{
		{"/**", "/p/.git/x /p/a /p/e/.git", "/p/s/.git", "/p/.git /p/e/.git /p/s/.git"},
		{"/p/*", "/p/a", "", "/p/.git"},
		{"/p/.git/*", "/p/.git/x", "", ""},
		{"/p/*/.git", "/p/e/.git /p/s/.git", "", "/p/.git"},
		{"/.git/*", "/.git/x", "", ""},
		{"/*/x", "", "", ""},
	} {
		asked = nil
		out, err := tree.OutputsAndGit(t.Context(), patterns(t, c.out), enter)
		slices.Sort(asked)
		if got := paths(out.Matches); err != nil || got != c.want || paths(out.Git) != c.git || strings.Join(asked, " ") != c.asked {
			t.Errorf("%s: %s, git %s, asked %s, %v", c.out, got, paths(out.Git), asked, err)
		}
		for _, m := range out.Matches {
			if !patterns(t, c.out)[0].MatchOutput(m.Path) {
				t.Errorf("%s does not match %s by its text", c.out, m.Path)
			}
		}
	}
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"/**", "/.git", false}, {"/**", "/.git/x", false}, {"/**", "/p/.git/x", true}, {"/p/**", "/p/.gitx/y", true}, {"/p/*", "/p/.git", true},
		{"/p/*/x", "/p/.git/x", true}, {"/p/a", "/p/.git", false}, {"/**", "/.haz/cache/.git", false}, {"/q/**", "/p/.git/x", false},
	} {
		if got := mustParse(t, c.pattern).MatchOutput(c.path); got != c.want {
			t.Errorf("%s, %s: %v", c.pattern, c.path, got)
		}
	}
}

// Folders are those on the way: fixed prefixes, and what a pattern goes through; none behind a link.
func TestOutputFolders(t *testing.T) {
	tree := New(memory(t, "/p/o/a/x /p/o/e/ /p/n/ /p/l->o /p/lit/f /p/q/r/s"))
	for out, want := range map[string]string{
		"/p/o/**": "/p/o! /p/o/a", "/p/o/*": "/p/o! /p/o/a", "/p/o/*/x": "/p/o! /p/o/a /p/o/e", "/p/n/**": "/p/n!0", "/p/l/*": "",
		"/p/lit/f": "/p/lit!", "/p/none/**": "", "/**": "/p /p/lit /p/o /p/o/a /p/q /p/q/r", "/p/o/*/x /p/o/a/x": "/p/o! /p/o/a /p/o/e",
	} {
		found, err := tree.Outputs(t.Context(), patterns(t, out))
		must(t, err)
		var got []string
		for _, f := range found.Folders {
			s := f.Path
			if f.Prefix {
				s += "!"
			}
			if f.Empty {
				s += "0"
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %s", out, got, want)
		}
	}
}
