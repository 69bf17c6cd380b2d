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
// (AUX-048).
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
		"many changes during a run are one look after it": {{0, TreeStirred, ArmQuiet}, {0, TreeStirred, ArmQuiet}, {0, RunEnded, ArmQuiet},
			{100 * ms, QuietPassed, LookAtTree}, {100 * ms, FoundSame, DoNothing}},
		"the next run forgets what stirred before": {{0, TreeStirred, ArmQuiet}, {0, RunEnded, ArmQuiet}, {100 * ms, QuietPassed, LookAtTree},
			{100 * ms, FoundChanged, RunAgain}, {200 * ms, RunEnded, DoNothing}},
		"endless writing does not hold a run back": {{0, RunEnded, DoNothing}, {0, TreeStirred, ArmQuiet}, {900 * ms, TreeStirred, ArmQuiet},
			{patience, TreeStirred, DoNothing}, {patience + 1, QuietPassed, LookAtTree}},
		"nor a look during a run": {{0, TreeStirred, ArmQuiet}, {900 * ms, TreeStirred, ArmQuiet}, {patience, TreeStirred, DoNothing},
			{patience + 1, QuietPassed, LookAtTree}, {patience + 2, FoundChanged, DoNothing}, {patience + 3, TreeStirred, ArmQuiet}},
		"a look during a run, and one after it": {{0, TreeStirred, ArmQuiet}, {100 * ms, QuietPassed, LookAtTree}, {100 * ms, FoundChanged, DoNothing},
			{5000 * ms, RunEnded, ArmQuiet}, {5100 * ms, QuietPassed, LookAtTree}, {5100 * ms, FoundChanged, RunAgain}},
		"what is stale is stopped, and run again": {{0, TreeStirred, ArmQuiet}, {100 * ms, QuietPassed, LookAtTree}, {100 * ms, FoundStale, StopRun},
			{110 * ms, TreeStirred, DoNothing}, {120 * ms, FoundStale, DoNothing}, {200 * ms, RunEnded, LookAtTree}, {200 * ms, FoundChanged, RunAgain},
			{300 * ms, RunEnded, DoNothing}},
		"also when the change was undone":     {{0, FoundStale, StopRun}, {0, RunEnded, LookAtTree}, {0, FoundSame, RunAgain}, {0, RunEnded, DoNothing}},
		"r and a while nothing runs":          {{0, RunEnded, DoNothing}, {0, KeyRerun, LookAtTree}, {0, FoundSame, RunAgain}, {0, RunEnded, DoNothing}, {0, KeyAll, LookAtTree}, {0, FoundChanged, RunAll}, {0, RunEnded, DoNothing}, {0, KeyRerun, LookAtTree}, {0, FoundSame, RunAgain}},
		"r before the look":                   {{0, RunEnded, DoNothing}, {0, TreeStirred, ArmQuiet}, {0, KeyRerun, LookAtTree}, {0, QuietPassed, DoNothing}, {0, FoundSame, RunAgain}},
		"r during a run":                      {{0, KeyRerun, StopRun}, {0, KeyAll, DoNothing}, {0, RunEnded, LookAtTree}, {0, FoundSame, RunAll}},
		"paused, what changes runs nothing":   {{0, KeyPause, DoNothing}, {0, TreeStirred, DoNothing}, {0, QuietPassed, DoNothing}, {0, FoundStale, DoNothing}, {0, RunEnded, DoNothing}, {0, TreeStirred, DoNothing}, {0, KeyPause, ArmQuiet}, {100 * ms, QuietPassed, LookAtTree}, {100 * ms, FoundChanged, RunAgain}},
		"paused before the look":              {{0, RunEnded, DoNothing}, {0, TreeStirred, ArmQuiet}, {0, KeyPause, DoNothing}, {100 * ms, QuietPassed, DoNothing}, {0, KeyPause, ArmQuiet}},
		"paused, and nothing stirred":         {{0, RunEnded, DoNothing}, {0, KeyPause, DoNothing}, {0, KeyPause, DoNothing}, {0, TreeStirred, ArmQuiet}},
		"paused, keys run":                    {{0, RunEnded, DoNothing}, {0, KeyPause, DoNothing}, {0, KeyRerun, LookAtTree}, {0, FoundSame, RunAgain}, {0, TreeStirred, DoNothing}, {0, RunEnded, DoNothing}, {0, KeyPause, ArmQuiet}},
		"going on during a run":               {{0, KeyPause, DoNothing}, {0, TreeStirred, DoNothing}, {0, KeyPause, ArmQuiet}, {0, QuietPassed, LookAtTree}, {0, FoundStale, StopRun}},
		"q while nothing runs":                {{0, RunEnded, DoNothing}, {0, KeyQuit, Leave}},
		"q before a run":                      {{0, RunEnded, DoNothing}, {0, TreeStirred, ArmQuiet}, {0, KeyQuit, Leave}},
		"q during a run, twice":               {{0, KeyQuit, LeaveRun}, {0, KeyRerun, DoNothing}, {0, FoundStale, DoNothing}, {0, KeyQuit, LeaveRun}, {0, TreeStirred, DoNothing}, {0, RunEnded, Leave}},
		"q while a run is stopped":            {{0, FoundStale, StopRun}, {0, KeyQuit, LeaveRun}, {0, RunEnded, Leave}},
		"(patient) what is stale is let be":   {{0, FoundStale, DoNothing}, {0, TreeStirred, ArmQuiet}, {0, RunEnded, ArmQuiet}},
		"(patient) r during a run comes then": {{0, KeyRerun, DoNothing}, {0, RunEnded, LookAtTree}, {0, FoundSame, RunAgain}, {0, RunEnded, DoNothing}},
	} {
		t.Run(name, func(t *testing.T) {
			w := Watcher{Patient: strings.HasPrefix(name, "(patient)")}
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

// Which change of what stops a run (AUX-048). The tasks: gen, build behind it, test behind that; a server without a cache, which stands alone.
func TestWatchUnderway(t *testing.T) {
	const gen, build, test, server = 0, 1, 2, 3
	down := [][]int{gen: {build}, build: {test}, test: nil, server: nil}
	began := func(tasks ...int) func(*Underway) {
		return func(u *Underway) {
			for _, i := range tasks {
				u.Began(i, time.Unix(0, 0))
			}
		}
	}
	ended := func(tasks ...int) func(*Underway) {
		return func(u *Underway) {
			for _, i := range tasks {
				u.Ended(i)
			}
		}
	}
	changed := func(tasks ...int) func(*Underway) { return func(u *Underway) { u.Changed(tasks) } }
	redefined := (*Underway).Redefined
	type steps []func(*Underway)
	for name, c := range map[string]struct {
		steps steps
		stop  bool
	}{
		"nothing changed":                             {steps{began(gen)}, false},
		"what a task under way reads":                 {steps{began(gen), changed(gen)}, true},
		"what one reads that has not begun":           {steps{began(gen), changed(build)}, false},
		"which begins then":                           {steps{began(gen), changed(build), ended(gen), began(build)}, false},
		"what one has read that another stands on":    {steps{began(gen), ended(gen), began(build), ended(build), began(test), changed(gen)}, true},
		"which begins later":                          {steps{began(server, gen), ended(gen), changed(gen), began(build)}, true},
		"until then it is let be":                     {steps{began(server, gen), ended(gen), changed(gen)}, false},
		"what was up to date":                         {steps{ended(gen, build), began(test), changed(gen)}, true},
		"what one has read that nothing stands on":    {steps{ended(gen, build, test), began(gen), changed(gen)}, false},
		"when a server alone is left":                 {steps{ended(gen, build, test), began(server), changed(test)}, true},
		"when a server and something to come is left": {steps{ended(gen, build), began(server), changed(gen)}, false},
		"when another task with a cache is left":      {steps{ended(gen, server), began(build), changed(server)}, false},
		"what says which tasks there are":             {steps{began(gen), redefined}, false},
		"the same, when a server alone is left":       {steps{ended(gen, build, test), began(server), redefined}, true},
		"twice":                                       {steps{began(server), began(server), changed(server), ended(server), ended(server)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			u := NewUnderway(len(down), func(i int) []int { return down[i] }, func(i int) bool { return i != server })
			for _, s := range c.steps {
				s(u)
			}
			if got := u.Stop(); got != c.stop {
				t.Errorf("stopped: %t, want %t", got, c.stop)
			}
		})
	}
	u := NewUnderway(2, func(int) []int { return nil }, func(int) bool { return true })
	u.Began(0, time.Unix(10, 0))
	u.Began(1, time.Unix(20, 0))
	if got := u.Age(time.Unix(25, 0)); got != 5*time.Second {
		t.Errorf("the youngest is %s old, want 5 s", got)
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
		left, news := f.Hungry(step.changed, step.duringRun, false)
		if diff := cmp.Diff([][]string{step.left, step.news}, [][]string{left, news}); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", i, diff)
		}
	}
}

// What stops runs: at once twice on end, the third time when the youngest task is old enough, and no more, for what tasks may write when they
// begin; what changes later is somebody's edit, each time (AUX-048).
func TestWatchFeedDuringRuns(t *testing.T) {
	type verdict struct{ Now, Later, News, Left, Told []string }
	own := []string{"/own"}
	at, put, named := verdict{Now: own, Left: own}, verdict{Later: own, Left: own}, verdict{News: own}
	for name, rounds := range map[string][]struct {
		age     time.Duration
		stopped bool
		want    verdict
	}{
		"early":                    {{0, true, at}, {Early - 1, true, at}, {0, true, put}, {0, false, named}, {0, false, verdict{}}},
		"late":                     {{Early, true, at}, {Early, true, at}, {Early, true, at}, {Early, true, at}, {Early, true, at}},
		"late, then early":         {{Early, true, at}, {0, true, at}, {0, true, at}, {0, true, put}},
		"an edit of what is named": {{0, true, at}, {0, true, at}, {0, true, put}, {0, false, named}, {Early, true, at}, {0, true, at}, {0, true, at}},
		"runs that end":            {{0, false, at}, {0, false, at}, {0, false, verdict{Later: own, Told: own}}},
	} {
		t.Run(name, func(t *testing.T) {
			var f Feed
			for i, r := range rounds {
				var got verdict
				got.Now, got.Later, got.News = f.During(own, r.age)
				got.Left, got.Told = f.Hungry(own, true, r.stopped)
				if diff := cmp.Diff(r.want, got); diff != "" {
					t.Fatalf("run %d (-want +got):\n%s", i, diff)
				}
			}
		})
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
