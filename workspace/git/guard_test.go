package git

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// trapped is a repository whose configuration would execute a program at every place that git has for it. sprung tells whether
// one was.
type trapped struct {
	*repo
	mark string
}

func (x trapped) sprung() bool {
	_, err := os.Stat(x.mark)
	return err == nil
}

// trap sets the traps of one repository. git of the test itself springs some: they are set last.
func trap(r *repo, mark string) {
	r.t.Helper()
	program := filepath.Join(r.dir, ".git", "trap.sh")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$0 $*\" >> '"+mark+"'\nexit 1\n"), 0o755); err != nil {
		r.t.Fatal(err)
	}
	hooks := filepath.Join(r.dir, ".git", "hooks-of-trap")
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		r.t.Fatal(err)
	}
	for _, hook := range []string{"post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction"} {
		if err := os.Symlink(program, filepath.Join(hooks, hook)); err != nil {
			r.t.Fatal(err)
		}
	}
	r.write(".git/info/attributes", "* filter=evil diff=evil merge=evil\n*.long filter=evil.process\n")
	for _, kv := range [][2]string{
		{"core.hooksPath", hooks}, {"core.pager", program}, {"pager.diff-index", "true"}, {"core.sshCommand", program}, {"core.gitProxy", program},
		{"core.askPass", program}, {"credential.helper", "!" + program}, {"core.editor", program}, {"gpg.program", program},
		{"diff.external", program}, {"diff.evil.command", program}, {"diff.evil.textconv", program},
		{"filter.evil.clean", program}, {"filter.evil.smudge", program}, {"filter.evil.required", "true"},
		{"filter.evil.process.process", program}, {"core.alternateRefsCommand", program},
		{"remote.origin.url", "ext::" + program}, {"remote.origin.promisor", "true"}, {"remote.origin.uploadpack", program},
		{"protocol.ext.allow", "always"}, {"extensions.partialClone", "origin"}, {"core.repositoryFormatVersion", "1"},
		{"alias.diff-index", "!" + program}, {"core.fsmonitor", program},
	} {
		r.git("config", kv[0], kv[1])
	}
}

// A question executes nothing that a repository or a submodule of it names, and changes nothing in it.
func TestNothingIsExecuted(t *testing.T) {
	lib := newRepo(t)
	lib.commit("x")
	r := newRepo(t)
	r.commit("a", "b.long", "touched", "deep/c")
	r.git("submodule", "--quiet", "add", lib.dir, "sub")
	first := r.commit("base")
	r.write("deep/c", "changed\n")
	second := r.commit("d")
	mark := filepath.Join(t.TempDir(), "sprung")
	sub := r.at("sub")
	gitDir := sub.git("rev-parse", "--absolute-git-dir")
	r.write("a", "changed\n")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(r.dir, "touched"), later, later); err != nil {
		t.Fatal(err)
	}
	sub.write("x", "changed\n")
	trap(r, mark)
	trapModule(t, gitDir, r)
	x := trapped{r, mark}
	before := snapshot(t, filepath.Join(r.dir, ".git"))

	for _, o := range []Options{{Mode: WorkTree}, {Mode: Index}, {Mode: Since, Revision: first}, {Mode: Affected, Revision: first}, {Mode: Affected, Revision: second}} {
		c, err := r.ask(o)
		if err != nil {
			t.Errorf("mode %d: %v", o.Mode, err)
		}
		if o.Mode != Index && !strings.Contains(strings.Join(c.Paths, " "), "/a ") {
			t.Errorf("mode %d: %q", o.Mode, c.Paths)
		}
		if x.sprung() {
			text, _ := os.ReadFile(mark)
			t.Fatalf("mode %d executed\n%s", o.Mode, text)
		}
	}
	if after := snapshot(t, filepath.Join(r.dir, ".git")); after != before {
		t.Error("the repository was changed")
	}

	// A commit that is not there is not fetched either.
	for _, o := range []Options{{Mode: Since, Revision: strings.Repeat("1", 40)}, {Mode: Affected, Revision: strings.Repeat("1", 40)}} {
		if _, err := r.ask(o); err == nil {
			t.Error("a commit that is nowhere was found")
		}
	}
	// Nor is an object of one that is.
	tree := r.git("-c", "core.fsmonitor=false", "rev-parse", first+":deep")
	if err := os.Remove(filepath.Join(r.dir, ".git/objects", tree[:2], tree[2:])); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ask(Options{Mode: Since, Revision: first}); err == nil {
		t.Error("a tree that is missing was read")
	}
	if x.sprung() {
		text, _ := os.ReadFile(mark)
		t.Fatalf("a missing object executed\n%s", text)
	}
}

// trapModule sets traps in the git directory of a submodule, which is not in its work tree.
func trapModule(t *testing.T, gitDir string, r *repo) {
	t.Helper()
	program := filepath.Join(r.dir, ".git", "trap.sh")
	config := "[core]\n\tfsmonitor = " + program + "\n\thooksPath = " + filepath.Join(r.dir, ".git", "hooks-of-trap") +
		"\n[filter \"inner\"]\n\tclean = " + program + "\n\tprocess = " + program + "\n\trequired\n[diff]\n\texternal = " + program + "\n"
	f, err := os.OpenFile(filepath.Join(gitDir, "config"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(config); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(gitDir, "info"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(gitDir, "info", "attributes"), []byte("* filter=inner\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// snapshot is the content of a directory, as one text.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		all.WriteString(path + "\x00" + string(b) + "\x00")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// A folder of the work tree that is itself a repository, with a configuration of its own, is not taken for one: also not by a
// git that knows no guard against it.
func TestBareInside(t *testing.T) {
	r := newRepo(t)
	r.commit("a")
	evil := r.at("evil")
	evil.write("in", "x")
	evil.git("init", "-q", "--bare", ".")
	mark := filepath.Join(t.TempDir(), "sprung")
	program := filepath.Join(evil.dir, "monitor.sh")
	evil.write("monitor.sh", "#!/bin/sh\ntouch '"+mark+"'\n")
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	evil.write("config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = ./monitor.sh\n")
	_, err := evil.ask(Options{Mode: Index})
	var refused *Error
	if !errors.As(err, &refused) {
		t.Errorf("it was asked: %v", err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("it executed its monitor")
	}
	old := &repository{root: evil.dir, top: evil.dir, rule: "R"}
	if err := old.checkTop(evil.dir); err == nil {
		t.Error("a top without .git is taken for one")
	}
}

// A filter whose name no option can spell keeps git from being asked.
func TestOddFilterName(t *testing.T) {
	r := newRepo(t)
	r.commit("a")
	r.git("config", "filter.a=b.clean", "false")
	_, err := r.ask(Options{Mode: WorkTree})
	var refused *Error
	if !errors.As(err, &refused) || !strings.Contains(refused.Message, "a=b") {
		t.Errorf("%v", err)
	}
}

// Without filters, ends of lines are still converted, and what was only touched is no change; links and odd names neither.
func TestOnlyTouched(t *testing.T) {
	r := newRepo(t)
	r.git("config", "core.autocrlf", "true")
	r.write(".gitattributes", "* text=auto\n")
	r.commit("plain", `"quoted`, "sub/deep")
	r.write("lines", "one\r\ntwo\r\n")
	if err := os.Symlink("plain", filepath.Join(r.dir, "link")); err != nil {
		t.Fatal(err)
	}
	r.commit()
	later := time.Now().Add(time.Hour)
	for _, name := range []string{"plain", "sub/deep", "lines"} {
		if err := os.Chtimes(filepath.Join(r.dir, name), later, later); err != nil {
			t.Fatal(err)
		}
	}
	r.remove("link")
	if err := os.Symlink("plain", filepath.Join(r.dir, "link")); err != nil {
		t.Fatal(err)
	}
	r.want(WorkTree, "")
	r.at("sub").want(WorkTree, "")
	r.write("plain", "content of plain?\n")
	r.want(WorkTree, "", "/link", "/plain") // what is read through the link changed, too
}

// A file that git was told to take for unchanged counts when it is not; one that is not checked out does not.
func TestHidden(t *testing.T) {
	r := newRepo(t)
	r.commit("a", "b", "c", "d")
	r.git("update-index", "--assume-unchanged", "a", "b")
	r.git("update-index", "--skip-worktree", "c", "d")
	r.want(WorkTree, "")
	r.write("a", "other")
	r.write("d", "other")
	r.remove("c")
	r.want(WorkTree, "", "/a", "/d")
	r.want(Index, "")
	r.remove("b")
	r.want(WorkTree, "", "/a", "/b", "/d")
}

// What git ignores of a directory is asked with the same guards.
func TestIgnored(t *testing.T) {
	r := newRepo(t)
	r.write(".gitignore", "*.d/\nsub/inner\n")
	r.commit("sub/inner-not/a", "sub/x")
	trap(r, filepath.Join(t.TempDir(), "sprung"))
	if got := Ignored(t.Context(), r.dir, r.env, []string{"a.d", "sub", "-b.d"}); !got["a.d"] || !got["-b.d"] || got["sub"] {
		t.Errorf("%v", got)
	}
	if got := Ignored(t.Context(), r.at("sub").dir, r.env, []string{"inner", "inner-not"}); !got["inner"] || got["inner-not"] {
		t.Errorf("%v", got)
	}
	if got := Ignored(t.Context(), r.dir, r.env, nil); got != nil {
		t.Errorf("nothing asked: %v", got)
	}
}
