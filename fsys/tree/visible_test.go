package tree

import (
	"testing"

	"github.com/haz-build/haz/fsys"
)

// What is haz's own is invisible on every way that leads to it, whatever lies there (8.4): also a file, whose identity no link
// gives away, and both where a directory is read and where names are looked up.
func TestOwnBehindLinks(t *testing.T) {
	fs := memory(t, "/.haz/cache /.haz/state/x /.haz/tasks/t.yml")
	must(t, fs.Symlink("/.haz", "/ab"))
	for pattern, want := range map[string]string{
		"/{ab}/**":       "/ab@/.haz>dir! /ab/tasks/t.yml",
		"/{ab}/*":        "/ab@/.haz>dir!",
		"/{ab}/cache":    "/ab@/.haz>dir!",
		"/ab/*":          "/ab@/.haz>dir!",
		"/ab/{cache,x}":  "/ab@/.haz>dir!",
		"/{ab/state}/x":  "/ab@/.haz>dir!",
		"/a*/state/*":    "/ab@/.haz>dir!",
		"/.haz/**/*.yml": "/.haz/tasks/t.yml",
	} {
		for _, warm := range []bool{false, true} {
			tree := New(fs)
			if warm { // read before, so that names are not looked up
				inputs(t, tree, "/ab/*", "")
				inputs(t, tree, "/{ab}/*", "")
			}
			if got := inputs(t, tree, pattern, ""); got != want {
				t.Errorf("%s (directories read before: %v): got %q, want %q", pattern, warm, got, want)
			}
		}
	}
	for _, name := range []string{"/.haz/cache", "/.haz/state"} {
		if info, err := fs.Lstat(name); err != nil || info.Kind == fsys.Link {
			t.Fatalf("%s: %v, %v", name, info, err)
		}
	}
}

// A link that comes at the end of a path that leads through a link is news of the directory that it lies in.
func TestForgetLinkBehindLink(t *testing.T) {
	fs := memory(t, "/b/x")
	must(t, fs.MkdirAll("/a", 0o755))
	must(t, fs.Symlink("..", "/ab"))
	tree := New(fs)
	inputs(t, tree, "/a/**", "") // /a is known to be empty
	must(t, fs.Symlink("/b", "/ab/a/b"))
	tree.Forget("/ab/a/b")
	if got, want := inputs(t, tree, "/a/**", ""), inputs(t, New(fs), "/a/**", ""); got != want || got == "" {
		t.Errorf("got %q, want %q", got, want)
	}
}
