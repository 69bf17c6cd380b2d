package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files spells what git tracks ("t"), would add ("?"), and knows no more of ("/"), sorted.
func (r *repo) files(names ...string) string {
	r.t.Helper()
	f, err := NewFiles(Options{Root: r.dir, StartedIn: r.dir, Env: r.env})
	if err != nil || f == nil {
		r.t.Fatal(f, err)
	}
	list, err := f.All(context.Background())
	if len(names) > 0 {
		list, err = f.New(context.Background(), names)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	var words []string
	for _, l := range list {
		word := l.Path
		if !l.Tracked {
			word = "?" + word
		}
		if l.Whole {
			word += "/"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func (r *repo) wantFiles(want string, names ...string) {
	r.t.Helper()
	if got := r.files(names...); got != want {
		r.t.Errorf("got  %s\nwant %s", got, want)
	}
}

// PATH-025: what git tracks, deleted or ignored or not, and what it would add, by all that says what it ignores.
func TestFiles(t *testing.T) {
	r := newRepo(t)
	r.commit("ws/a.c", "ws/x y\tz", "ws/gone", "ws/kept.o", "ws/é", "other/f")
	r.write("ws/.gitignore", "*.o\nbuild/\n")
	r.write(".git/info/exclude", "mine\n")
	r.git("config", "core.excludesFile", filepath.Join(r.dir, "excludes"))
	r.write("excludes", "*.swp\n")
	for _, f := range []string{"ws/b.o", "ws/build/x", "ws/mine", "ws/.f.swp", "ws/new", "ws/.hid/new", "ws/-n", "ws/:(top)"} {
		r.write(f, "")
	}
	r.remove("ws/gone")
	index, err := os.ReadFile(filepath.Join(r.dir, ".git/index"))
	if err != nil {
		t.Fatal(err)
	}
	ws := r.at("ws")
	ws.wantFiles("?/-n ?/.gitignore ?/.hid/new ?/:(top) /a.c /gone /kept.o ?/new /x y\tz /é")
	ws.wantFiles("?/-n ?/.hid/new ?/:(top)", "/-n", "/.hid", "/:(top)", "/build", "/b.o", "/nothing")
	many := slices.Repeat([]string{"/new"}, fewNames+1)
	ws.wantFiles("?/-n ?/.gitignore ?/.hid/new ?/:(top) ?/new", many...)

	// Nothing is written, and what hooks of git say of another repository is none of ours.
	after, err := os.ReadFile(filepath.Join(r.dir, ".git/index"))
	if err != nil || string(after) != string(index) {
		t.Errorf("the index was written: %v", err)
	}
	ws.env = append(ws.env, "GIT_DIR="+t.TempDir(), "GIT_WORK_TREE=/", "GIT_LITERAL_PATHSPECS=0")
	ws.wantFiles("?/-n ?/.gitignore ?/.hid/new ?/:(top) /a.c /gone /kept.o ?/new /x y\tz /é")

	f, err := NewFiles(Options{Root: ws.dir, StartedIn: ws.dir, Env: ws.env})
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := f.Ignored(t.Context())
	slices.Sort(ignored)
	if got := strings.Join(ignored, " "); got != "/.f.swp /b.o /build /mine" || err != nil {
		t.Errorf("ignored: %s, %v", got, err)
	}
	some, err := f.IgnoredOf(t.Context(), []string{"/new", "/build/deep", "/kept.o", "/z.o", "/-n"})
	if got := strings.Join(some, " "); got != "/build/deep /z.o" || err != nil {
		t.Errorf("ignored of some: %s, %v", got, err)
	}
	if none, err := f.IgnoredOf(t.Context(), []string{"/new"}); len(none) > 0 || err != nil {
		t.Errorf("ignored of none: %v, %v", none, err)
	}
}

// Submodules, and repositories that git does not track, are folders of which it knows no more. A conflict is one file.
func TestFilesOfOthers(t *testing.T) {
	r, sub := newRepo(t), newRepo(t)
	sub.commit("f")
	r.commit("a")
	r.git("submodule", "--quiet", "add", sub.dir, "sub")
	r.git("clone", "-q", sub.dir, "clone")
	r.git("worktree", "add", "-q", "--detach", "tree")
	r.wantFiles("/.gitmodules /a ?/clone/ /sub/ ?/tree/")
	r.at("tree").wantFiles("/a")
	r.at("sub").wantFiles("/f")
	r.remove("clone")
	r.remove("tree")
	r.commit()
	r.git("checkout", "-q", "-b", "side")
	r.write("a", "side\n")
	r.commit()
	r.git("checkout", "-q", "main")
	r.write("a", "main\n")
	r.commit()
	r.conflict("side")
	r.wantFiles("/.gitmodules /a /a /a /sub/")
}

// conflict merges a branch, which fails.
func (r *repo) conflict(branch string) {
	r.t.Helper()
	f, err := NewFiles(Options{Root: r.dir, Env: r.env})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, end, err := f.r.code(context.Background(), "merge", "-q", branch); err != nil || end.failed == nil {
		r.t.Fatal("there is no conflict", err)
	}
}

// Whom there is nobody to ask, and who does not answer.
func TestFilesRefused(t *testing.T) {
	r := newRepo(t)
	r.commit("a")
	if f, err := NewFiles(Options{Root: r.dir, Env: []string{"PATH=/nowhere"}}); f != nil || !errors.Is(err, ErrNoGit) {
		t.Errorf("without git: %v, %v", f, err)
	}
	outside := t.TempDir()
	for _, dir := range []string{outside, filepath.Join(outside, ".git")} { // a .git that is no repository is passed over
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if f, err := NewFiles(Options{Root: outside, Env: r.env}); f != nil || err != nil {
			t.Errorf("%s: %v, %v", dir, f, err)
		}
	}
	r.write(".git/config", "[broken")
	f, err := NewFiles(Options{Root: r.dir, Env: r.env})
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if _, err := f.All(t.Context()); !errors.As(err, &e) || e.Code != "PATH-026" || len(e.Causes) == 0 {
		t.Errorf("got %v", err)
	}
	if _, err := f.New(t.Context(), []string{"/a"}); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}
