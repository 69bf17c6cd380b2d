package haz_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/cache/entry"
)

// The oracle of --affected (chapter 3, 4.4.6): whatever a change of the tree is, a task whose key is another one after it must be
// selected. Small repositories with everything that a key can depend on are changed at random, and run before and after.
// HAZ_SEEDS=N tries N seeds.
func TestAffectedMissesNothing(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	t.Parallel()
	seeds := seedsOr(6)
	r := newAffectedRepo(t)
	base := r.keys()
	if len(base) < 12 {
		t.Fatalf("only %d tasks have keys", len(base))
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(uint64(seed), 11))
		var done []string
		for range 1 + rng.IntN(3) {
			c := affectedChanges[rng.IntN(len(affectedChanges))]
			done = append(done, c.name)
			c.do(r)
		}
		r.judge(base, fmt.Sprintf("seed %d: %s", seed, strings.Join(done, ", ")))
		r.reset()
	}
	for _, c := range affectedChanges {
		c.do(r)
		if r.judge(base, c.name) == 0 && !c.harmless {
			t.Errorf("%s: no key differs, so nothing was tried", c.name)
		}
		r.reset()
	}
}

// affectedRepo is a repository with a workspace in a folder of it, a submodule, links and overlays.
type affectedRepo struct {
	t   *testing.T
	top string
	env []string
	// first is the commit that everything is compared with.
	first string
}

const affectedFiles = `
shared/conf.txt=conf
shared/rules/r.txt=rule
shared/template.yml=name: linked\ntasks: {t: {shell: "cat in.txt", inputs: [in.txt]}}\n
ws/.haz/workspace.yml=projects: ["/libs/*", /app, /linked, /vendor/sub/pkg]\n
ws/.haz/tasks/wide.yml=tasks: {lint: {shell: "echo wide", inputs: [haz.yml]}}\n
ws/.haz/tasks/narrow.yml=tagsFilter: [top]\ntasks: {lint: {shell: "echo narrow", inputs: [haz.yml]}}\n
ws/libs/a/haz.yml=name: a\ntags: [lib]\ntasks:\n  build: {shell: "mkdir -p out && cat s.txt > out/o.txt", inputs: [s.txt], outputs: [out/o.txt], env: {from_host: [PATH]}}\n  note: {shell: "echo", inputs: ["*.md"]}\n
ws/libs/b/haz.yml=name: b\ntags: [lib]\ntasks:\n  build: {shell: "mkdir -p out && cat s.txt > out/o.txt", inputs: [s.txt], outputs: [out/o.txt], env: {from_host: [PATH]}}\n  note: {shell: "echo", inputs: ["*.md"]}\n
ws/libs/a/s.txt=a
ws/libs/b/s.txt=b
ws/libs/a/x.md=x
ws/linked/in.txt=in
ws/app/haz.yml=name: app\ntags: [top]\ntasks:\n  bundle: {shell: "cat ../libs/*/out/o.txt > all.txt", inputs: ["/libs/*/out/o.txt"], outputs: [all.txt], deps: ["[lib]:build"], env: {from_host: [PATH]}}\n  read: {shell: "true", inputs: [all.txt], deps: ["~:bundle"], env: {from_host: [PATH]}}\n  vendor: {shell: "true", inputs: ["/vendor/sub/**/*.txt"]}\n  conf: {shell: "true", inputs: [conf.txt]}\n  rules: {shell: "true", inputs: ["rules/**"]}\n  deep: {shell: "true", inputs: ["src/**/*.c"], exclude: ["src/gen/**"]}\n  follow: {shell: "true", deps: ["~:conf"]}\n
ws/app/src/m.c=m
ws/app/src/sub/n.c=n
ws/app/src/gen/g.c=g
ws/app/README=r
.gitignore=out/\nall.txt\n.haz/cache\n.haz/state\n
`

func newAffectedRepo(t *testing.T) *affectedRepo {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &affectedRepo{t: t, top: filepath.Join(top, "repo"), env: gitEnvironment(top)}
	module := filepath.Join(top, "module")
	r.write("../module/f.txt", "1\n")
	r.write("../module/pkg/haz.yml", "name: inner\ntasks: {t: {shell: \"true\", inputs: [\"*.txt\"]}}\n")
	r.write("../module/pkg/p.txt", "1\n")
	r.gitIn(module, "init", "-q", "-b", "main")
	r.gitIn(module, "add", "-A")
	r.gitIn(module, "commit", "-qm", "one")
	for _, line := range strings.Split(strings.TrimSpace(affectedFiles), "\n") {
		name, text, _ := strings.Cut(line, "=")
		r.write(name, strings.ReplaceAll(text, `\n`, "\n"))
	}
	r.link("ws/app/conf.txt", "../../shared/conf.txt")
	r.link("ws/app/rules", "../../shared/rules")
	r.link("ws/linked/haz.yml", "../../shared/template.yml")
	r.git("init", "-q", "-b", "main")
	r.git("submodule", "--quiet", "add", module, "ws/vendor/sub")
	r.git("add", "-A")
	r.git("commit", "-qm", "first")
	r.first = r.git("rev-parse", "HEAD")
	return r
}

// gitEnvironment is one for git and haz in which nothing of the host's configuration counts.
func gitEnvironment(home string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_ALLOW_PROTOCOL=file",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	}
}

// seedsOr is how many seeds HAZ_SEEDS asks for, or else n.
func seedsOr(n int) int {
	if asked, err := strconv.Atoi(os.Getenv("HAZ_SEEDS")); err == nil {
		return asked
	}
	return n
}

func (r *affectedRepo) git(args ...string) string { return r.gitIn(r.top, args...) }

func (r *affectedRepo) gitIn(dir string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, r.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *affectedRepo) at(name string) string { return filepath.Join(r.top, name) }

func (r *affectedRepo) write(name, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.at(name)), 0o777); err != nil {
		r.t.Fatal(err)
	}
	_ = os.Remove(r.at(name))
	if err := os.WriteFile(r.at(name), []byte(text), 0o666); err != nil {
		r.t.Fatal(err)
	}
}

func (r *affectedRepo) link(name, text string) {
	r.t.Helper()
	_ = os.MkdirAll(filepath.Dir(r.at(name)), 0o777)
	_ = os.RemoveAll(r.at(name))
	if err := os.Symlink(text, r.at(name)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *affectedRepo) remove(name string) { _ = os.RemoveAll(r.at(name)) }

// replace edits a file, where it is still there.
func (r *affectedRepo) replace(name, from, to string) {
	b, err := os.ReadFile(r.at(name))
	if err == nil {
		_ = os.WriteFile(r.at(name), []byte(strings.Replace(string(b), from, to, 1)), 0o666)
	}
}

// reset goes back to the first commit, also in the submodule. Outputs stay, as git ignores them.
func (r *affectedRepo) reset() {
	r.t.Helper()
	r.git("reset", "-q", "--hard", r.first)
	r.git("clean", "-qfd")
	r.git("submodule", "--quiet", "update", "--init", "--force")
	r.gitIn(r.at("ws/vendor/sub"), "clean", "-qfd")
	r.remove("ws/libs/c")
}

func (r *affectedRepo) open() (*haz.Workspace, error) {
	return haz.Open(context.Background(), r.at("ws"), haz.WithEnvironment(r.env))
}

// keys runs everything, and returns the key of each task that has one.
func (r *affectedRepo) keys() map[haz.TaskID]entry.Key {
	r.t.Helper()
	w, err := r.open()
	if err != nil {
		r.t.Fatal(err)
	}
	defer w.Close()
	var all []int
	for i := range w.W.Tasks {
		all = append(all, i)
	}
	result, err := w.Run(context.Background(), all, haz.RunOptions{Cache: haz.ReadWrite})
	if err != nil {
		r.t.Fatal(err)
	}
	keys := map[haz.TaskID]entry.Key{}
	for _, o := range result.Outcomes {
		if o.HasKey {
			keys[o.Task] = o.Key
		}
	}
	return keys
}

// judge compares the selection with what is true after a change, and returns how many keys differ. A workspace that does not
// load selects nothing.
func (r *affectedRepo) judge(base map[haz.TaskID]entry.Key, what string) int {
	r.t.Helper()
	w, err := r.open()
	if err != nil {
		return 1
	}
	selected, err := w.Select(context.Background(), haz.Selection{Workspace: true, Changes: &haz.Changes{Kind: haz.Affected, Revision: r.first, Environment: r.env}})
	if err != nil {
		r.t.Errorf("%s: %v", what, err)
		return 1
	}
	_ = w.Close()
	chosen := map[haz.TaskID]bool{}
	for _, t := range selected.Targets {
		chosen[w.W.Tasks[t].ID] = true
	}
	differing := 0
	for id, key := range r.keys() {
		if was, known := base[id]; known && was == key {
			continue
		}
		differing++
		if !chosen[id] {
			r.t.Errorf("%s: %s has another key and is not selected", what, id)
		}
	}
	return differing
}

var affectedChanges = []struct {
	name     string
	do       func(r *affectedRepo)
	harmless bool // no key differs by this alone
}{
	{"an edit", func(r *affectedRepo) { r.write("ws/libs/a/s.txt", "a2") }, false},
	{"an edit that is committed", func(r *affectedRepo) {
		r.write("ws/libs/b/s.txt", "b2")
		r.git("add", "-A")
		r.git("commit", "-q", "--allow-empty", "-m", "edit")
	}, false},
	{"nothing that matters", func(r *affectedRepo) { r.write("ws/app/README", "r2") }, true},
	{"a new file", func(r *affectedRepo) { r.write("ws/app/src/new/x.c", "x") }, false},
	{"an excluded file", func(r *affectedRepo) { r.write("ws/app/src/gen/g.c", "g2") }, true},
	{"a deletion", func(r *affectedRepo) { r.remove("ws/app/src/sub") }, false},
	{"a rename", func(r *affectedRepo) { _ = os.Rename(r.at("ws/app/src/m.c"), r.at("ws/app/src/k.c")) }, false},
	{"an execute bit", func(r *affectedRepo) { _ = os.Chmod(r.at("ws/app/src/m.c"), 0o755) }, false},
	{"a file behind a link", func(r *affectedRepo) { r.write("shared/conf.txt", "conf2") }, false},
	{"a file below a linked directory", func(r *affectedRepo) { r.write("shared/rules/r.txt", "rule2") }, false},
	{"a new file below a linked directory", func(r *affectedRepo) { r.write("shared/rules/deep/q.txt", "q") }, false},
	{"a link to another directory", func(r *affectedRepo) { r.link("ws/app/rules", "src") }, false},
	{"a link to another file", func(r *affectedRepo) { r.link("ws/app/conf.txt", "README") }, false},
	{"a link in place of a directory", func(r *affectedRepo) { r.link("ws/app/src", "../libs") }, false},
	{"a directory in place of a link", func(r *affectedRepo) { r.remove("ws/app/rules"); r.write("ws/app/rules/own.txt", "o") }, false},
	{"a link behind a link", func(r *affectedRepo) { r.link("shared/rules/more", "../../ws/libs/a") }, false},
	{"a file in a submodule", func(r *affectedRepo) { r.write("ws/vendor/sub/f.txt", "2") }, false},
	{"a new file in a submodule", func(r *affectedRepo) { r.write("ws/vendor/sub/g.txt", "2") }, false},
	{"a commit of a submodule", func(r *affectedRepo) {
		r.write("ws/vendor/sub/pkg/p.txt", "2")
		r.gitIn(r.at("ws/vendor/sub"), "add", "-A")
		r.gitIn(r.at("ws/vendor/sub"), "commit", "-q", "--allow-empty", "-m", "two")
	}, false},
	{"a definition in a submodule", func(r *affectedRepo) { r.replace("ws/vendor/sub/pkg/haz.yml", `shell: "true"`, `shell: ":"`) }, false},
	{"a submodule that is gone", func(r *affectedRepo) {
		r.replace("ws/.haz/workspace.yml", ", /vendor/sub/pkg", "")
		r.remove("ws/vendor/sub")
	}, false},
	{"another command", func(r *affectedRepo) { r.replace("ws/libs/a/haz.yml", "cat s.txt", "cat ./s.txt") }, false},
	{"another definition behind a link", func(r *affectedRepo) { r.replace("shared/template.yml", "cat in.txt", "cat ./in.txt") }, false},
	{"a project that is gone", func(r *affectedRepo) { r.remove("ws/libs/b") }, false},
	{"a project that is new", func(r *affectedRepo) {
		r.write("ws/libs/c/haz.yml", "name: c\ntags: [lib]\ntasks: {build: {shell: \"true\"}}\n")
	}, false},
	{"a project with another name", func(r *affectedRepo) { r.replace("ws/libs/b/haz.yml", "name: b", "name: bb") }, false},
	{"a project in another place", func(r *affectedRepo) { _ = os.Rename(r.at("ws/libs/b"), r.at("ws/libs/d")) }, false},
	{"a task that is gone", func(r *affectedRepo) { r.write("ws/libs/b/haz.yml", "name: b\ntags: [lib]\n") }, false},
	{"a tag that is gone", func(r *affectedRepo) { r.replace("ws/libs/b/haz.yml", "tags: [lib]\n", "") }, false},
	{"an overlay that is gone", func(r *affectedRepo) { r.remove("ws/.haz/tasks/narrow.yml") }, false},
	{"an overlay that is new", func(r *affectedRepo) {
		r.write("ws/.haz/tasks/third.yml", "tagsFilter: [lib]\ntasks: {lint: {shell: \"echo lib\", inputs: [haz.yml]}}\n")
	}, false},
	{"an overlay that says something else", func(r *affectedRepo) { r.replace("ws/.haz/tasks/wide.yml", "echo wide", "echo wider") }, false},
	{"another hash", func(r *affectedRepo) {
		r.replace("ws/.haz/workspace.yml", "projects", "cache: {hash: sha256}\nprojects")
	}, false},
	{"a project that is not listed", func(r *affectedRepo) { r.replace("ws/.haz/workspace.yml", `"/libs/*"`, "/libs/a") }, false},
	{"a file that git was told not to look at", func(r *affectedRepo) {
		r.git("update-index", "--assume-unchanged", "ws/libs/a/x.md")
		r.write("ws/libs/a/x.md", "other")
	}, false},
}
