package git

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// repo is a real repository in a temporary directory, out of reach of the configuration of this machine.
type repo struct {
	t   *testing.T
	dir string
	env []string
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &repo{t: t, dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir + "/no-home", "LC_ALL=C",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_AUTHOR_DATE=2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2020-01-01T00:00:00Z",
	}}
	r.git("init", "-q", "-b", "main")
	return r
}

// at is the same repository seen from another directory.
func (r *repo) at(dir string) *repo {
	return &repo{t: r.t, dir: filepath.Join(r.dir, dir), env: r.env}
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func (r *repo) write(name, text string) {
	r.t.Helper()
	name = filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) remove(name string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
}

// commit writes files and commits everything.
func (r *repo) commit(files ...string) string {
	r.t.Helper()
	for _, f := range files {
		r.write(f, "content of "+f+"\n")
	}
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", "c")
	return r.git("rev-parse", "HEAD")
}

func (r *repo) ask(o Options) (Changes, error) {
	o.Root = r.dir
	if o.StartedIn == "" {
		o.StartedIn = r.dir
	}
	if o.Env == nil {
		o.Env = r.env
	}
	return Changed(context.Background(), o)
}

// want asks for a mode and compares the paths.
func (r *repo) want(m Mode, rev string, paths ...string) {
	r.t.Helper()
	c, err := r.ask(Options{Mode: m, Revision: rev})
	if err != nil {
		r.t.Fatalf("mode %d: %v", m, err)
	}
	if diff := cmp.Diff(paths, c.Paths); diff != "" {
		r.t.Errorf("mode %d %s (-want +got):\n%s", m, rev, diff)
	}
	if len(c.Warnings) > 0 {
		r.t.Errorf("mode %d: %q", m, c.Warnings)
	}
}

// EXEC-027, EXEC-028: what counts as changed (4.4.1).
func TestWhatChanged(t *testing.T) {
	r := newRepo(t)
	r.write(".gitignore", "ignored\n*.log\n")
	r.commit("same", "edited", "staged", "restored", "deleted", "staged-deletion", "mode", "link", "old-name", "touched", "untracked-again")
	r.want(WorkTree, "")
	r.want(Index, "")

	r.write("edited", "x")
	r.write("staged", "x")
	r.git("add", "staged")
	r.write("restored", "x")
	r.git("add", "restored")
	r.write("restored", "content of restored\n")
	r.remove("deleted")
	r.git("rm", "-q", "staged-deletion")
	if err := os.Chmod(filepath.Join(r.dir, "mode"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.remove("link")
	if err := os.Symlink("same", filepath.Join(r.dir, "link")); err != nil {
		t.Fatal(err)
	}
	r.git("mv", "old-name", "new-name")
	r.write("new/untracked", "x")
	r.write("ignored", "x")
	r.write("new/x.log", "x")
	r.write("intent", "x")
	r.git("add", "-N", "intent")
	r.git("rm", "-q", "--cached", "untracked-again")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(r.dir, "touched"), later, later); err != nil {
		t.Fatal(err)
	}
	r.want(WorkTree, "", "/deleted", "/edited", "/intent", "/link", "/mode", "/new-name", "/new/untracked", "/old-name", "/staged", "/staged-deletion", "/untracked-again")
	r.want(Index, "", "/new-name", "/old-name", "/restored", "/staged", "/staged-deletion", "/untracked-again")
}

// Whatever the user's configuration says.
func TestConfiguration(t *testing.T) {
	r := newRepo(t)
	r.commit("sub/a", "sub/b", "sub/touched", "z")
	for key, value := range map[string]string{
		"diff.relative": "true", "diff.renames": "copies", "diff.external": "false", "diff.orderFile": "/no/such/file", "diff.noprefix": "true",
		"diff.ignoreSubmodules": "all", "diff.autoRefreshIndex": "false", "color.ui": "always", "core.quotePath": "true", "diff.mnemonicPrefix": "true",
		"core.pager": "false", "pager.diff": "true", "status.showUntrackedFiles": "no", "diff.statGraphWidth": "1", "diff.wsErrorHighlight": "all",
	} {
		r.git("config", key, value)
	}
	r.write("sub/é", "x")
	r.remove("sub/a")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(r.dir, "sub/touched"), later, later); err != nil {
		t.Fatal(err)
	}
	r.write("z", "x")
	r.git("mv", "sub/b", "sub/c")
	r.at("sub").want(WorkTree, "", "/a", "/b", "/c", "/é")
	r.at("sub").want(Index, "", "/b", "/c")
}

// A workspace below the top of the repository: both lists are relative to the top, and what lies outside is dropped.
func TestBelowTheTop(t *testing.T) {
	r := newRepo(t)
	r.commit("ws/a", "ws/lib/b", "other/c", "ws-not/d", "a")
	r.write("ws/a", "x")
	r.write("ws/lib/new", "x")
	r.write("other/c", "x")
	r.write("other/new", "x")
	r.write("ws-not/d", "x")
	r.write("a", "x")
	r.at("ws").want(WorkTree, "", "/a", "/lib/new")
	r.at("ws/lib").want(WorkTree, "", "/new")
	r.git("add", "-A")
	r.at("ws").want(Index, "", "/a", "/lib/new")

	// A name that git could take for a pattern.
	odd := newRepo(t)
	odd.commit("w[s]*/a", "ws/a")
	odd.write("w[s]*/a", "x")
	odd.write("w[s]*/new", "x")
	odd.write("ws/a", "x")
	odd.at("w[s]*").want(WorkTree, "", "/a", "/new")
	odd.at("ws").want(WorkTree, "", "/a")
}

// Before the first commit there is no HEAD: the index can be asked, the working tree cannot.
func TestNoCommitYet(t *testing.T) {
	r := newRepo(t)
	r.write("a", "x")
	r.git("add", "a")
	r.write("b", "x")
	r.want(Index, "", "/a")
	for _, m := range []Mode{WorkTree, Affected} {
		_, err := r.ask(Options{Mode: m})
		var e *Error
		if !errors.As(err, &e) || e.Code != m.rule() || !strings.Contains(e.Message, "HEAD names no commit") || !strings.Contains(e.Hint, "--git-staged") {
			t.Errorf("mode %d: %#v", m, err)
		}
	}
}

func TestSubmodules(t *testing.T) {
	lib := newRepo(t)
	lib.commit("x", "dir/y")
	r := newRepo(t)
	r.commit("a")
	r.git("submodule", "--quiet", "add", lib.dir, "libs/sub")
	r.git("config", "-f", ".gitmodules", "submodule.libs/sub.ignore", "all")
	r.commit()
	sub := r.at("libs/sub")
	r.want(WorkTree, "")
	sub.write("untracked", "x")
	r.want(WorkTree, "") // untracked files in it do not count
	r.want(Affected, "HEAD", "/libs/sub", "/libs/sub/untracked")
	sub.remove("untracked")
	sub.write("x", "changed")
	r.want(WorkTree, "", "/libs/sub", "/libs/sub/x") // it counts as its own path as well
	r.want(Index, "")
	sub.commit("z")
	r.want(WorkTree, "", "/libs/sub", "/libs/sub/x", "/libs/sub/z")
	r.git("add", "libs/sub")
	r.want(Index, "", "/libs/sub", "/libs/sub/x", "/libs/sub/z")
	r.git("commit", "-q", "-m", "bump")
	r.want(WorkTree, "")
	r.want(Since, "HEAD~1", "/libs/sub", "/libs/sub/x", "/libs/sub/z")
	r.want(Affected, "HEAD~1", "/libs/sub", "/libs/sub/x", "/libs/sub/z")
	// A workspace inside the submodule asks the submodule.
	sub.write("dir/y", "changed")
	sub.at("dir").want(WorkTree, "", "/y")
	sub.git("checkout", "-q", ".")

	// Of a commit that the submodule does not have, and of one that came or went, anything may differ.
	gone := func(m Mode, rev string) {
		t.Helper()
		c, err := r.ask(Options{Mode: m, Revision: rev})
		if err != nil || !slices.Contains(c.Paths, "/libs/sub") || !slices.Contains(c.NestedDirs, "/libs/sub") {
			t.Errorf("mode %d: %+v, %v", m, c, err)
		}
	}
	gone(Since, "HEAD~2")
	r.git("update-index", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",libs/sub")
	gone(Index, "")
	r.git("commit", "-q", "-m", "a commit that nobody has")
	gone(WorkTree, "")
	r.git("rm", "-q", "-f", "libs/sub")
	gone(WorkTree, "")
}

// An untracked nested repository is a directory of which git says no more.
func TestNestedRepository(t *testing.T) {
	r := newRepo(t)
	r.commit("ws/a")
	r.write("ws/vendor/nested/f", "x")
	r.at("ws/vendor/nested").git("init", "-q")
	r.at("ws/vendor/nested").commit()
	r.write("ws/vendor/plain", "x")
	c, err := r.at("ws").ask(Options{Mode: WorkTree})
	c.Base = nil
	want := Changes{Paths: []string{"/vendor/plain"}, NestedDirs: []string{"/vendor/nested"}}
	if diff := cmp.Diff(want, c); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWorktree(t *testing.T) {
	r := newRepo(t)
	r.commit("a", "b")
	linked := newRepo(t) // a directory of its own; its repository is replaced
	linked.remove(".git")
	r.git("worktree", "add", "-q", "-b", "other", filepath.Join(linked.dir, "tree"))
	tree := linked.at("tree")
	tree.write("a", "x")
	tree.write("new", "x")
	r.write("b", "x")
	tree.want(WorkTree, "", "/a", "/new")
	r.want(WorkTree, "", "/b")
}

// In hooks, git exports what repository it works on. A partial commit has an index of its own, which counts.
func TestHookEnvironment(t *testing.T) {
	other := newRepo(t)
	other.commit("elsewhere")
	r := newRepo(t)
	r.commit("ws/a", "ws/b")
	r.write("ws/a", "x")
	r.write("ws/b", "x")
	r.git("add", "-A")
	env := append([]string{"GIT_DIR=" + other.dir + "/.git", "GIT_WORK_TREE=" + other.dir, "GIT_PREFIX=zz/", "GIT_INDEX_FILE=" + r.dir + "/.git/partial"}, r.env...)
	cmd := exec.Command("git", "read-tree", "HEAD")
	cmd.Dir, cmd.Env = r.dir, append([]string{"GIT_INDEX_FILE=" + r.dir + "/.git/partial"}, r.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	cmd = exec.Command("git", "update-index", "ws/a")
	cmd.Dir, cmd.Env = r.dir, append([]string{"GIT_INDEX_FILE=" + r.dir + "/.git/partial"}, r.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	ws := r.at("ws")
	for index, startedIn := range map[string]string{r.dir + "/.git/partial": "/", ".git/partial": r.dir, "../.git/partial": ws.dir} {
		env[3] = "GIT_INDEX_FILE=" + index
		c, err := ws.ask(Options{Mode: Index, Env: env, StartedIn: startedIn})
		if diff := cmp.Diff([]string{"/a"}, c.Paths); diff != "" || err != nil {
			t.Errorf("index %s: %v (-want +got):\n%s", index, err, diff)
		}
	}
	ws.want(Index, "", "/a", "/b") // without it, the usual one
	env[3] = "GIT_INDEX_FILE="
	if c, err := ws.ask(Options{Mode: Index, Env: env}); err != nil || len(c.Paths) != 2 {
		t.Errorf("an empty GIT_INDEX_FILE: %v, %v", c, err)
	}
}

// A real pre-commit hook of a partial commit.
func TestInsideHook(t *testing.T) {
	r := newRepo(t)
	r.commit("ws/a", "ws/b")
	r.write("ws/a", "x")
	r.write("ws/b", "x")
	r.git("add", "-A")
	r.write(".git/hooks/pre-commit", "#!/bin/sh\nenv > \"$OUT\"\npwd > \"$OUT.cwd\"\ncp \"$GIT_INDEX_FILE\" \"$OUT.index\"\n")
	if err := os.Chmod(filepath.Join(r.dir, ".git/hooks/pre-commit"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "env")
	r.env = append(r.env, "OUT="+out)
	r.git("commit", "-q", "-m", "partial", "ws/b")
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	for _, e := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if strings.HasPrefix(e, "GIT_INDEX_FILE=") {
			e = "GIT_INDEX_FILE=" + out + ".index" // git removes the file when the commit is made
		}
		env = append(env, e)
	}
	r.git("reset", "-q", "--soft", "HEAD~1")
	c, err := r.at("ws").ask(Options{Mode: Index, Env: env})
	if diff := cmp.Diff([]string{"/b"}, c.Paths); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// Names that no workspace path can spell are left out with a warning; all others come through, quotes, blanks and stars too.
func TestOddNames(t *testing.T) {
	r := newRepo(t)
	r.commit("ok")
	for _, name := range []string{"line\nbreak", "tab\there", "no\xffutf8", "zero\u200bwidth", "dir\n/x"} {
		r.write(name, "x")
	}
	for _, name := range []string{`quote"d`, "blank s", "-n", "*", `back\slash`, "日本", ":(top)x", "[a]"} {
		r.write(name, "x")
	}
	check := func(m Mode) {
		t.Helper()
		c, err := r.ask(Options{Mode: m})
		if diff := cmp.Diff([]string{"/*", "/-n", "/:(top)x", "/[a]", `/back\slash`, "/blank s", `/quote"d`, "/日本"}, c.Paths); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		all := strings.Join(c.Warnings, "\n")
		if len(c.Warnings) != 5 || !utf8.ValidString(all) || strings.ContainsAny(all, "\t\u200b") ||
			!strings.Contains(all, `"/line\nbreak"`) || !strings.Contains(all, `"/no\xffutf8"`) || !strings.Contains(all, `"/dir\n/x"`) {
			t.Errorf("%d warnings:\n%s", len(c.Warnings), all)
		}
	}
	check(WorkTree)
	r.git("add", "-A")
	check(WorkTree)
	check(Index)
}

// The directory of the repository may have any name as well.
func TestOddTop(t *testing.T) {
	r := newRepo(t)
	for _, name := range []string{"end\n", "a\nb", " ", "no\xff", "[x]"} {
		odd := r.at(name + "/w s")
		odd.write("a", "x")
		r.at(name).git("init", "-q")
		odd.commit()
		odd.write("a", "y")
		odd.want(WorkTree, "", "/a")
	}
}

// Each failure says what failed, with git's own words.
func TestFailures(t *testing.T) {
	r := newRepo(t)
	r.commit("a")
	outside := &repo{t: t, dir: t.TempDir(), env: append([]string{"GIT_CEILING_DIRECTORIES=/"}, r.env...)}
	bare := newRepo(t)
	bare.git("config", "core.bare", "true")
	broken := newRepo(t)
	broken.commit("a")
	broken.write(".git/index", "this is no index")
	wrong := newRepo(t)
	wrong.commit("a")
	wrong.git("config", "core.worktree", r.dir)
	script := newRepo(t)
	script.write("bin/git", "not a program")
	if err := os.Chmod(filepath.Join(script.dir, "bin/git"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(script.dir)
	for _, c := range []struct {
		about, message, cause string
		r                     *repo
		env                   []string
	}{
		{"no repository", "is not inside a git work tree", "not a git repository", outside, nil},
		{"bare", "is not inside a git work tree", "must be run in a work tree", bare, nil},
		{"core.worktree leads elsewhere", "is not inside", "", wrong, nil},
		{"damaged", "git diff-index failed (exit status 128)", "index", broken, nil},
		{"no PATH", "git cannot be started", "no PATH", r, []string{"HOME=/"}},
		{"not on PATH", "git cannot be started", "/no/such:relative", r, []string{"PATH=/no/such:relative"}},
		{"a relative PATH is not searched", "git cannot be started", "no program git", script, []string{"PATH=bin:."}},
		{"not a program", "git cannot be started", "exec format error", script, []string{"PATH=" + script.dir + "/bin"}},
	} {
		_, err := c.r.ask(Options{Mode: WorkTree, Env: c.env})
		var e *Error
		if !errors.As(err, &e) || e.Code != "EXEC-027" || !strings.Contains(e.Message, c.message) || !strings.Contains(strings.Join(e.Causes, "\n"), c.cause) {
			t.Errorf("%s: %#v", c.about, err)
			continue
		}
		if d := e.Diagnostic(); d.Code != e.Code || d.Message != e.Message || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: %+v", c.about, d)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Changed(ctx, Options{Root: r.dir, Env: r.env, Mode: WorkTree}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The root may be reached through links.
func TestLinkedRoot(t *testing.T) {
	r := newRepo(t)
	r.commit("ws/a")
	r.write("ws/a", "x")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(r.dir, link); err != nil {
		t.Fatal(err)
	}
	r.git("config", "core.worktree", link) // git prints it as it is
	r.at("ws").want(WorkTree, "", "/a")
}
