package load

import (
	"errors"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/workspace"
)

// 2.1, row by row: the nearest ancestor with a marker, and which mode it means (DISC-001 … DISC-004).
func TestFind(t *testing.T) {
	for _, c := range []struct {
		about, tree, want string // want: root and mode, or the code of an error
	}{
		{"a directory .haz is explicit", "dir: .haz\nin: a/b\ndir: a/b", "/ws explicit"},
		{"a link to one as well", "dir: real\nlink: .haz -> real", "/ws explicit"},
		{"a directory .git is implicit", "dir: .git\nin: a/b\ndir: a/b", "/ws implicit"},
		{"a file .git is implicit", "in: a\ndir: a\n-- .git --\ngitdir: ../x\n", "/ws implicit"},
		{"a link to either as well", "dir: g\nlink: .git -> g", "/ws implicit"},
		{"both: explicit wins", "dir: .git\n-- .haz/workspace.yml --\n", "/ws explicit"},
		{"a regular file .haz is none", "dir: .git\n-- .haz --\n", "/ws implicit"},
		{"a regular file .haz alone is none", "-- .haz --\n", "DISC-002"},
		{"a dangling .haz is none", "link: .haz -> nowhere", "DISC-002"},
		{"a dangling .git is none", "link: .git -> nowhere", "DISC-002"},
		{"a FIFO .git is none", "fifo: .git", "DISC-002"},
		{"no marker up to /", "in: a/b\ndir: a/b", "DISC-002"},
		{"a link loop at .haz", "link: .haz -> .haz", "DISC-001"},
		{"a link loop at .git", "link: .git -> other\nlink: other -> .git", "DISC-001"},
		{"[+] an implicit workspace survives its own cache", "dir: .git\ndir: .haz/cache\ndir: .haz/state", "/ws implicit"},
		{"a dangling workspace.yml beside .git is there all the same", "dir: .git\nlink: .haz/workspace.yml -> gone", "/ws explicit"},
		{".haz without workspace.yml and without .git is explicit", "dir: .haz/cache", "/ws explicit"},
		{"[odd] the nearest marker wins", "dir: in/.git\nin: in/a\ndir: in/a\n-- .haz/workspace.yml --\n", "/ws/in implicit"},
		{"", "dir: .git\nin: in/a\ndir: in/a\n-- in/.haz/workspace.yml --\n", "/ws/in explicit"},
		{"an implicit root's own .haz does not stop at the outer workspace", "dir: in/.git\ndir: in/.haz/cache\nin: in\n-- .haz/workspace.yml --\n", "/ws/in implicit"},
		{"[+] a haz.yml alone is implicit", "in: a/b\ndir: a/b\n-- haz.yml --\n", "/ws implicit"},
		{"a link to one as well", "link: haz.yml -> other\n-- other --\n", "/ws implicit"},
		{"a directory haz.yml is none", "dir: haz.yml", "DISC-002"},
		{"a dangling haz.yml is none", "link: haz.yml -> gone", "DISC-002"},
		{"the nearest haz.yml", "in: a/b\ndir: a/b\n-- haz.yml --\n-- a/haz.yml --\n", "/ws/a implicit"},
		{"it survives its own cache", "dir: .haz/state\n-- haz.yml --\n", "/ws implicit"},
		{"and a run above does not make the other the root", "in: a\ndir: .haz/state\n-- haz.yml --\n-- a/haz.yml --\n", "/ws/a implicit"},
		{"every marker goes before it: .haz above", "in: a/b\ndir: a/b\n-- .haz/workspace.yml --\n-- a/haz.yml --\n", "/ws explicit"},
		{"a .haz without workspace.yml, and above an explicit root", "in: a\ndir: a/.haz/state\n-- .haz/workspace.yml --\n-- a/haz.yml --\n", "/ws explicit"},
		{".git above", "dir: .git\nin: a\n-- a/haz.yml --\n", "/ws implicit"},
		{"a .haz without anything below a haz.yml", "dir: a/.haz\nin: a\n-- haz.yml --\n", "/ws/a explicit"},
		{"the start is resolved", "dir: .haz\ndir: a\nlink: /elsewhere -> ws/a\nin: /elsewhere", "/ws explicit"},
		{"the root is canonical", "dir: /real/.haz\nlink: link -> /real\nin: link", "/real explicit"},
		{"the start does not exist", "in: gone", "DISC-001"},
	} {
		tree := plant(t, txtar.Parse([]byte(c.tree+"\n")))
		root, mode, err := Find(tree.host, tree.start)
		got := root + map[workspace.Mode]string{workspace.Explicit: " explicit", workspace.Implicit: " implicit"}[mode]
		var said *diag.Errors
		if errors.As(err, &said) {
			got = said.List[0].Code
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.about, got, c.want)
		}
	}
}

// The message of DISC-002 names the start directory and both markers.
func TestFindSaysWhere(t *testing.T) {
	m := memfs.New()
	if err := m.MkdirAll("/home/me", 0o755); err != nil {
		t.Fatal(err)
	}
	_, _, err := Find(m, "/home/me")
	for _, part := range []string{"/home/me", ".haz", ".git", "DISC-002"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no mention of %s: %v", part, err)
		}
	}
}

// 2.3 (EXEC-022): the project around a directory; links resolved, component by component, the innermost of nested ones.
func TestBearing(t *testing.T) {
	const tree = `
link: /outside -> ws/ab/src
link: ab/link -> ../other
dir: ab/src
dir: abc
dir: ab/in/x
dir: other/y
dir: /unrelated
-- .haz/workspace.yml --
projects: [/ab, /ab/in, /linked]
-- ab/haz.yml --
name: ab
-- ab/in/haz.yml --
name: in
-- real/haz.yml --
name: linked
-- real/z/file --
`
	planted := plant(t, txtar.Parse([]byte("link: linked -> real\n"+tree[1:])))
	ws := load(t, "link: linked -> real\n"+tree[1:])
	for dir, want := range map[string]string{
		"/ws/ab": "ab", "/ws/ab/src": "ab", "/ws/ab/in": "in", "/ws/ab/in/x": "in", "/ws/abc": "", "/ws": "", "/": "", "/unrelated": "", "/wsx": "",
		"/outside": "ab", "/ws/ab/link/y": "", "/ws/real/z": "linked", "/ws/linked/z": "linked", "/ws/gone": "", "/ws/ab/../ab/src/": "ab",
	} {
		got := ""
		if p := Bearing(ws, planted.host, dir); p != nil {
			got = p.Name
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", dir, got, want)
		}
	}
	// Implicit mode: always the one project.
	const solo = "dir: .git\ndir: a/b\n-- haz.yml --\nname: solo\n"
	planted, ws = plant(t, txtar.Parse([]byte(solo))), load(t, solo)
	for _, dir := range []string{"/ws", "/ws/a/b", "/ws/.git"} {
		if p := Bearing(ws, planted.host, dir); p == nil || p.Name != "solo" {
			t.Errorf("%s: %v", dir, p)
		}
	}
	// A workspace at the root of the machine.
	ws.Root = "/"
	if p := Bearing(ws, planted.host, "/ws/a"); p == nil {
		t.Error("nothing bears below /")
	}
}
