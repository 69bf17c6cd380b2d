//go:build linux

package watch

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// The core, step by step: events and the action wanted after each.
func TestWatchDecisions(t *testing.T) {
	type step struct {
		at   time.Duration
		e    Event
		want Action
	}
	const ms = time.Millisecond
	for name, steps := range map[string][]step{
		"a quiet run is followed by waiting": {{0, RunEnded, DoNothing}, {0, QuietPassed, DoNothing}, {0, FoundChanged, DoNothing}},
		"a change is looked at after quiet": {{0, RunEnded, DoNothing}, {0, TreeStirred, ArmQuiet}, {50 * ms, TreeStirred, ArmQuiet},
			{150 * ms, QuietPassed, LookAtTree}, {150 * ms, FoundChanged, RunAgain}},
		"what does not matter runs nothing": {{0, RunEnded, DoNothing}, {0, TreeStirred, ArmQuiet}, {100 * ms, QuietPassed, LookAtTree},
			{100 * ms, FoundSame, DoNothing}, {200 * ms, TreeStirred, ArmQuiet}},
		"many changes during a run are one look after it": {{0, TreeStirred, DoNothing}, {0, TreeStirred, DoNothing}, {0, RunEnded, ArmQuiet},
			{100 * ms, QuietPassed, LookAtTree}, {100 * ms, FoundSame, DoNothing}},
		"the next run forgets what stirred before": {{0, TreeStirred, DoNothing}, {0, RunEnded, ArmQuiet}, {100 * ms, QuietPassed, LookAtTree},
			{100 * ms, FoundChanged, RunAgain}, {200 * ms, RunEnded, DoNothing}},
		"endless writing does not hold a run back": {{0, RunEnded, DoNothing}, {0, TreeStirred, ArmQuiet}, {900 * ms, TreeStirred, ArmQuiet},
			{patience, TreeStirred, DoNothing}, {patience + 1, QuietPassed, LookAtTree}},
	} {
		t.Run(name, func(t *testing.T) {
			var w Watcher
			start := time.Unix(0, 0)
			for i, s := range steps {
				var got Action
				if w, got = w.Step(s.e, start.Add(s.at)); got != s.want {
					t.Fatalf("step %d: action %d, want %d (phase %d)", i, got, s.want, w.phase)
				}
			}
		})
	}
}

func declare(t *testing.T, texts ...string) []workspace.PatternDecl {
	t.Helper()
	var out []workspace.PatternDecl
	for _, text := range texts {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, workspace.PatternDecl{Text: text, Pattern: p.Anchor("/lib")})
	}
	return out
}

// entries parses patterns of the list of projects.
func entries(t *testing.T, texts ...string) (out []pattern.Pattern) {
	t.Helper()
	for _, d := range declare(t, texts...) {
		out = append(out, d.Pattern)
	}
	return out
}

// Inputs and definitions matter; outputs and what haz writes do not, but for what a task reads and writes.
func TestWatchInterest(t *testing.T) {
	i := InterestIn(entries(t, "/lib", "/new/*"), []*haz.Task{
		{Inputs: declare(t, "**", "/shared/*.h"), Exclude: declare(t, "*.tmp", "log.txt", "out/**"), Outputs: declare(t, "out/**", "log.txt")},
		{Inputs: declare(t, "out/*.o")},
		{Inputs: declare(t, "/fmt/**"), Outputs: declare(t, "/fmt/**")},
	}, "/lib/summary.json")
	for path, want := range map[string]bool{
		"/lib/a.go": true, "/lib/deep/er/b.go": true, "/shared/x.h": true, "/shared/x.c": false, "/other/a.go": false,
		"/lib/a.tmp": false, "/lib/log.txt": false, "/lib/out/a.o": false, "/lib/summary.json": false, "/fmt/a.go": true,
		"/lib/haz.yml": true, "/new/project/haz.yml": true, "/haz.yml": true, "/.haz/workspace.yml": true, "/.haz/tasks/go.yml": true,
		"/new/project/deeper/haz.yml": false, "/.haz/other": false, "/lib/nothaz.yml": true, "/other/nothaz.yml": false,
	} {
		if got := i.Matters(path); got != want {
			t.Errorf("%s matters: %t, want %t", path, got, want)
		}
	}
	if !i.Formatted("/fmt/a.go") || i.Formatted("/lib/a.go") {
		t.Error("what a task reads and writes is not told from what it reads")
	}
	broken := Definitions(true)
	if broken.Matters("/lib/a.go") || !broken.Matters("/lib/haz.yml") {
		t.Error("without a workspace that loads, definitions matter and nothing else")
	}
}

// Manifests of other tools are definitions where they were looked for; where the workspace did not load, wherever they lie.
func TestWatchManifests(t *testing.T) {
	i := InterestIn(nil, []*haz.Task{{Inputs: declare(t, "src/**")}}).Inferring(entries(t, "/package.json", "/packages/*/package.json", "/packages/a/haz.yml", "/pnpm-workspace.yaml"))
	for path, want := range map[string]bool{
		"/package.json": true, "/packages/new/package.json": true, "/packages/a/haz.yml": true, "/pnpm-workspace.yaml": true, "/haz.yml": true,
		"/packages/a/deep/package.json": false, "/packages/b/haz.yml": false, "/lib/src/package.json": false, "/go.mod": false,
	} {
		if got := i.Definition(path); got != want {
			t.Errorf("%s is a definition: %t, want %t", path, got, want)
		}
		if want && !i.Matters(path) {
			t.Errorf("%s does not matter", path)
		}
	}
	broken := Definitions(true, "package.json")
	if !broken.Matters("/any/where/package.json") || broken.Matters("/go.mod") || Definitions(false, "package.json").Matters("/any/where/package.json") {
		t.Error("manifests count anywhere where the workspace did not load, and there alone")
	}
}

// Of sources a part counts (haz::cfg::134): an edit beside it is no change; that a folder has its first one, or its last one is gone, is.
func TestWatchSources(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	uses := workspace.Sources{Patterns: entries(t, "/a/**/*.go", "/b/**/*.go"), Folders: true, Same: "1",
		LeftOut: func(name string) bool { return filepath.Base(name) == "testdata" },
		Part: func(name string, text []byte) string {
			_, after, _ := strings.Cut(string(text), "import ")
			return after
		}}
	there := workspace.Sources{Patterns: entries(t, "/a/main.rs")}
	i := InterestIn(nil, []*haz.Task{{Inputs: declare(t, "src/**")}}).Inferring(nil, uses, there)
	for _, name := range []string{"a/x.go", "a/y.go", "a/testdata/z.go", "b/x.go", "a/main.rs"} {
		mustWrite(t, at(name), "import one")
	}
	tree := Open(root)
	defer tree.Close()
	for _, step := range []struct {
		name   string
		do     func()
		change []string
	}{
		{"an edit that leaves the part", func() { mustWrite(t, at("a/x.go"), "// more\nimport one") }, nil},
		{"an edit of the part", func() { mustWrite(t, at("a/x.go"), "import one, two") }, []string{"/a/x.go"}},
		{"a file beside others of which nothing counts", func() { mustWrite(t, at("a/new.go"), "nothing") }, nil},
		{"a file with a part", func() { mustWrite(t, at("a/more.go"), "import two") }, []string{"/a/more.go"}},
		{"the first of a folder", func() { mustWrite(t, at("a/deep/one.go"), "nothing") }, []string{"/a/deep/one.go"}},
		{"one that does not count", func() { mustWrite(t, at("a/testdata/z.go"), "import two") }, nil},
		{"the first of a folder that does not count", func() { mustWrite(t, at("a/testdata/deep/z.go"), "import two") }, nil},
		{"the last of a folder", func() { _ = os.Remove(at("b/x.go")) }, []string{"/b/x.go"}},
		{"the content of one that is to be there", func() { mustWrite(t, at("a/main.rs"), "import two, three") }, nil},
		{"that it is there", func() { _ = os.Remove(at("a/main.rs")) }, []string{"/a/main.rs"}},
	} {
		var parts Parts
		before := tree.Look(i)
		parts.Adopt(tree, Definitions(false), i, before)
		step.do()
		now := tree.Look(i)
		var changed []string
		for _, p := range Differing(before, now) {
			if i.Matters(p) {
				t.Errorf("%s: %s is an input", step.name, p)
			}
			if parts.Changed(tree, i, p, before, now) {
				changed = append(changed, p)
			}
		}
		if diff := cmp.Diff(step.change, changed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	// Another Part is asked again, and one that says the same is not.
	var parts Parts
	now := tree.Look(i)
	parts.Adopt(tree, Definitions(false), i, now)
	other := uses
	other.Same, other.Part = "2", func(string, []byte) string { return "other" }
	j := InterestIn(nil, nil).Inferring(nil, other)
	if parts.Adopt(tree, i, i, now); parts.known["/a/x.go"] != "one, two" {
		t.Errorf("%q counts", parts.known["/a/x.go"])
	}
	if parts.Adopt(tree, i, j, now); parts.known["/a/x.go"] != "other" || parts.known["/a/new.go"] != "other" {
		t.Errorf("%q counts", parts.known)
	}
}

// A file that changes during each of three runs on end is no reason for one more, until it changes while nothing runs.
func TestWatchFeed(t *testing.T) {
	var f Feed
	for i, step := range []struct {
		changed   []string
		duringRun bool
		left      []string
		news      []string
	}{
		{[]string{"/a", "/own"}, false, []string{"/a", "/own"}, nil},
		{[]string{"/own"}, true, []string{"/own"}, nil},
		{[]string{"/a", "/own"}, true, []string{"/a", "/own"}, nil},
		{[]string{"/a", "/own"}, true, []string{"/a"}, []string{"/own"}},
		{[]string{"/own"}, true, nil, nil}, // told before, and /a has begun anew
		{[]string{"/own"}, false, []string{"/own"}, nil},
		{[]string{"/own"}, true, []string{"/own"}, nil},
	} {
		left, news := f.Hungry(step.changed, step.duringRun)
		if diff := cmp.Diff([][]string{step.left, step.news}, [][]string{left, news}); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestWatchDiffering(t *testing.T) {
	before := map[string]Stamp{"/same": {size: 1}, "/size": {size: 1}, "/mode": {mode: 0o644}, "/replaced": {inode: 1}, "/gone": {}}
	after := map[string]Stamp{"/same": {size: 1}, "/size": {size: 2}, "/mode": {mode: 0o755}, "/replaced": {inode: 2}, "/new": {}}
	if diff := cmp.Diff([]string{"/gone", "/mode", "/new", "/replaced", "/size"}, Differing(before, after)); diff != "" {
		t.Error(diff)
	}
}

// A directory that cannot be watched does not blind the watch: it polls then.
func TestWatchPolls(t *testing.T) {
	tree := Open(t.TempDir())
	defer tree.Close()
	tree.mu.Lock()
	tree.limited = syscall.ENOSPC
	tree.mu.Unlock()
	select {
	case <-tree.Stirs:
	case <-time.After(30 * time.Second):
		t.Fatal("no look was asked for")
	}
}

func mustWrite(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
