//go:build linux

package haz_test

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// The oracle of keys (I17): a workspace in all words of the task language is edited at random and run, again and again, in one tree with one
// cache. Whatever an edit is, what each task has printed and made is what it prints and makes in a fresh folder that has the sources alone:
// bytes, folders and modes, not a file more or less. HAZ_SEEDS=N tries N workspaces, HAZ_SEED=S begins with that one.
func TestRunsAreCleanRuns(t *testing.T) {
	t.Parallel()
	seeds, first := 3, 0
	if n, err := strconv.Atoi(os.Getenv("HAZ_SEEDS")); err == nil {
		seeds = n
	}
	if n, err := strconv.Atoi(os.Getenv("HAZ_SEED")); err == nil {
		first = n
	}
	cached, fresh := 0, 0
	for seed := first; seed < first+seeds; seed++ {
		w := newSpoken(t, uint64(seed))
		for range 6 {
			w.edit()
			w.judge()
			if t.Failed() {
				t.Fatalf("seed %d: %s\n%s", seed, strings.Join(w.log, "; "), w.definition())
			}
		}
		cached, fresh = cached+w.cached, fresh+w.fresh
	}
	t.Logf("%d results were used again, %d made", cached, fresh)
	if first == 0 && (cached < seeds || fresh < seeds) {
		t.Error("this looks at nothing")
	}
}

// spokenTask is a task with what it says of itself.
type spokenTask struct {
	project         int
	inputs, outputs int // which of the ways to write them
	ups             []spokenDep
	matrix          int // how many cells; 0: it has none
	hosts, files    bool
	arguments       int // 0: none are taken; 1: "$@"; 2: appended; 3: it is a command
	condition       int // 0: none
	retries         bool
	cached          bool
	version         int
}

type spokenDep struct {
	task                                    int
	reads, narrow, streamed, optional, used bool
}

// spoken is a workspace in all words of the language.
type spoken struct {
	*rand.Rand
	t             *testing.T
	root, marks   string
	sources       []map[string]string // by project and path in src: "- text", "x text" of an executable, "d" of an empty folder, "> target" of a link
	dotenv, local []string            // by project; "": there is none
	host          string              // a variable of the host that counts
	ci            bool
	noise         int // a variable of the host that does not
	round         int // 0 or 1: which way round projects use each other
	tasks         []*spokenTask
	was           [][]map[string]string
	log           []string
	cached, fresh int
}

func newSpoken(t *testing.T, seed uint64) *spoken {
	w := &spoken{Rand: rand.New(rand.NewPCG(seed, 17)), t: t, root: t.TempDir(), marks: t.TempDir(), host: "one"}
	for range 1 + w.IntN(3) {
		w.sources = append(w.sources, map[string]string{"a.txt": "- a\n", "b.txt": "- b\n", "sub/c.txt": "- c\n"})
		w.dotenv, w.local = append(w.dotenv, "F=1\n"), append(w.local, "")
	}
	for i := range 3 + w.IntN(6) {
		task := &spokenTask{project: w.IntN(len(w.sources)), inputs: w.IntN(4), outputs: w.IntN(4), hosts: w.IntN(3) == 0, files: w.IntN(3) == 0,
			arguments: w.IntN(4), retries: w.IntN(4) == 0, cached: w.IntN(8) > 0}
		if w.IntN(4) == 0 {
			task.matrix = 1 + w.IntN(2)
		}
		if w.IntN(5) == 0 {
			task.condition = 1 + w.IntN(2)
		}
		for _, up := range w.Perm(i)[:min(i, w.IntN(3))] {
			// What a task whose condition does not hold has made before stays, so nobody may read it.
			d := spokenDep{task: up, reads: w.tasks[up].condition == 0 && w.IntN(3) > 0, narrow: w.IntN(4) == 0, streamed: w.IntN(4) == 0, optional: w.IntN(3) == 0}
			d.used = w.tasks[up].project != task.project && w.IntN(2) == 0
			task.ups = append(task.ups, d)
		}
		w.tasks = append(w.tasks, task)
	}
	return w
}

var spokenInputs = [...]struct{ list, script string }{
	{"src/", "show src"},
	{`"src/**", "!src/sub/"`, "show src -path src/sub -prune -o"},
	{"$texts", `for f in src/*.txt; do case $f in src/b.txt) ;; *) show $f ;; esac; done`},
	{"src/a.txt", "show src/a.txt"},
}

// out is the folder of a task, or its file, in its project.
func (w *spoken) out(i int) string {
	name := fmt.Sprintf("out/%d", i)
	if w.tasks[i].matrix > 0 {
		name += "-${matrix.cell}"
	}
	return name
}

func (w *spoken) cells(i int) (names []string) {
	if w.tasks[i].matrix == 0 {
		return []string{w.out(i)}
	}
	for c := range w.tasks[i].matrix {
		names = append(names, strings.ReplaceAll(w.out(i), "${matrix.cell}", fmt.Sprintf("c%d", c)))
	}
	return names
}

// script reads all that the task says it reads, and nothing else.
func (w *spoken) script(i int) string {
	t := w.tasks[i]
	out := strings.ReplaceAll(w.out(i), "${matrix.cell}", "$HAZ_MATRIX_CELL")
	s := `show() { find "$@" -print | LC_ALL=C sort | while read -r f; do
if [ -L "$f" ]; then echo "link $f $(readlink "$f")"; [ ! -f "$f" ] || cat "$f"
elif [ -d "$f" ]; then [ -n "$(ls -A "$f")" ] || echo "empty $f"
elif [ -x "$f" ]; then echo "x $f"; cat "$f"; else echo "- $f"; cat "$f"; fi; done; }
made() { find "$@" -print | LC_ALL=C sort | while read -r f; do echo "$f $(stat -c '%f' "$f")"; [ ! -f "$f" ] || cat "$f"; done; }
`
	if t.retries {
		junk := "mkdir -p " + out + "; echo junk > " + out + "/junk"
		if t.outputs == 2 {
			junk = "mkdir -p out; echo junk > " + out
		}
		s += fmt.Sprintf(`m="$MARKS/%d$HAZ_MATRIX_CELL"; if [ ! -e "$m" ]; then : > "$m"; %s; exit 75; fi; rm "$m"`+"\n", i, junk)
	}
	all := fmt.Sprintf("echo t%d v%d $HAZ_MATRIX_CELL\n%s\n", i, t.version, spokenInputs[t.inputs].script)
	if t.hosts {
		all += `echo "host $HOSTED"` + "\n"
	}
	if t.files {
		all += `echo "files $F $G"` + "\n"
	}
	if t.arguments == 1 || t.arguments == 3 {
		all += `echo "arguments $*"` + "\n"
	}
	for _, d := range t.ups {
		if !d.reads {
			continue
		}
		for _, cell := range w.cells(d.task) {
			at := fmt.Sprintf("../p%d/%s", w.tasks[d.task].project, cell)
			switch w.tasks[d.task].outputs {
			case 0, 2:
				all += "made " + at + "\n"
			case 1:
				all += "made " + at + " -path " + at + "/cache -prune -o\n"
			}
		}
	}
	s += "all() {\n" + all + "}\n"
	switch t.outputs {
	case 0, 1:
		s += "mkdir -p " + out + "/empty " + out + "/kept\nall \"$@\" > " + out + "/all\ncp -R src/a.txt " + out + "/kept/\nchmod 750 " + out + "/kept\n"
		if t.inputs == 0 && t.outputs == 0 { // a task that keeps something beside its outputs may not make less than before (chapter 2, 4.6, short results)
			s += "for f in src/*.txt; do [ ! -f $f ] || { echo x; cat $f; } > " + out + "/${f#src/}.o; done\n[ ! -e src/flag ] || chmod 711 " + out + "/empty\n"
		}
		if t.outputs == 1 {
			s += "mkdir -p " + out + "/cache; echo $$ > " + out + "/cache/x\n"
		}
	case 2:
		s += "mkdir -p out; all \"$@\" > " + out + "\n[ ! -x src/a.txt ] || chmod +x " + out + "\n"
	}
	s += "all \"$@\" | cksum\n"
	if t.arguments == 2 {
		s += "echo appended"
	}
	return s
}

func (w *spoken) yaml(i int) string {
	t := w.tasks[i]
	inputs := spokenInputs[t.inputs].list
	if t.inputs != 0 {
		inputs += ", src/a.txt" // copied, whatever else is read
		if t.inputs == 3 {
			inputs = "src/a.txt"
		}
	}
	y := fmt.Sprintf("  t%d:\n    inputs: [%s]\n", i, inputs)
	if t.arguments == 3 {
		y += fmt.Sprintf("    command: [sh, -ec, %q, sh]\n    tools: [sh, find, cat, stat]\n", w.script(i))
	} else {
		y += fmt.Sprintf("    shell: %q\n", w.script(i))
	}
	if t.arguments == 2 {
		y += "    args: append\n"
	}
	switch out := w.out(i); t.outputs {
	case 0:
		y += fmt.Sprintf("    outputs: [%q]\n", out+"/")
	case 1:
		y += fmt.Sprintf("    outputs: [%q, %q]\n", out+"/**", "!"+out+"/cache/")
	case 2:
		y += fmt.Sprintf("    outputs: [%q]\n", out)
	}
	if t.matrix > 0 {
		y += "    matrix: {cell: [c0, c1]}\n"
		if t.matrix == 1 {
			y = strings.Replace(y, "[c0, c1]", "[c0]", 1)
		}
	}
	deps := []string{`"~:never?"`}
	for _, d := range t.ups {
		ref := fmt.Sprintf("p%d:t%d", w.tasks[d.task].project, d.task)
		if d.used { // by way of projects that lack the task, which are all others
			ref = fmt.Sprintf("^uses:t%d", d.task)
		}
		if d.optional {
			ref += "?"
		}
		deps = append(deps, fmt.Sprintf("{task: %q, closure: %v, streams: %v}", ref, !d.narrow, d.streamed))
	}
	y += "    deps: [" + strings.Join(deps, ", ") + "]\n"
	env := "pass: [NOISE, MARKS], override: {LC_ALL: C}"
	if t.hosts {
		env += ", from_host: [HOSTED]"
	}
	if t.files {
		env += `, files: [.env, ".env.local?"]`
	}
	y += "    env: {" + env + "}\n"
	y += []string{"", "    if: {exists: src/flag}\n", "    if: {env: CI}\n"}[t.condition]
	if t.retries {
		y += "    retry: {times: 1, on: [75]}\n    timeout: 1m\n"
	}
	if !t.cached {
		y += "    cache: false\n"
	}
	return y
}

// definition is the text of all haz.yml.
func (w *spoken) definition() string {
	text := ""
	for p := range w.sources {
		text += w.project(p)
	}
	return text
}

func (w *spoken) project(p int) string {
	y := fmt.Sprintf("name: p%d\nfiles: {texts: [\"src/*.txt\", \"!src/b.txt\"]}\n", p)
	if n := len(w.sources); n > 1 { // a circle, this way round or that
		y += fmt.Sprintf("uses: [p%d]\n", (p+1+w.round*(n-2))%n)
	}
	y += "tasks:\n  idle: {shell: ':'}\n"
	for i, t := range w.tasks {
		if t.project == p {
			y += w.yaml(i)
		}
	}
	return y
}

func (w *spoken) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// edit changes some of all that counts, or does not count.
func (w *spoken) edit() {
	for range 1 + w.IntN(3) {
		p, i := w.IntN(len(w.sources)), w.IntN(len(w.tasks))
		src, t := w.sources[p], w.tasks[i]
		name := []string{"a.txt", "a.txt", "a.txt", "a.txt", "b.txt", "d.txt", "sub/c.txt", "sub/e", "flag", "deep/er/f.txt", "hollow"}[w.IntN(11)]
		text := fmt.Sprintf("%d\n", w.IntN(9))
		switch w.IntN(14) {
		case 0, 1, 2, 12, 13:
			src[name] = "- " + text
		case 3:
			src[name] = "x " + text
		case 4:
			if name != "a.txt" {
				delete(src, name)
			}
		case 5:
			name = []string{"hollow", "sub/hollow"}[w.IntN(2)]
			src[name] = "d"
		case 6:
			if name != "a.txt" {
				src[name] = "> " + []string{"a.txt", "nowhere", "../haz.yml"}[w.IntN(2)]
			}
		case 7:
			name = "of the host"
			w.host, w.noise, w.ci, w.round = []string{"one", "two"}[w.IntN(2)], w.IntN(100), w.IntN(2) == 0, w.IntN(2)
		case 8:
			name = ".env"
			w.dotenv[p] = fmt.Sprintf("F='%d\nx'\n", w.IntN(3))
			w.local[p] = []string{"", "G=g\n", "F=local\n"}[w.IntN(3)]
		case 9:
			name = fmt.Sprintf("version of t%d", i)
			t.version = w.IntN(3)
		case 10:
			name = "back"
			if len(w.was) > 0 {
				for q, files := range w.was[w.IntN(len(w.was))] {
					w.sources[q] = maps.Clone(files)
				}
			}
		case 11:
			name = fmt.Sprintf("outputs of t%d", i)
			w.spoil(i)
		}
		w.note("p%d %s", p, name)
	}
	now := make([]map[string]string, len(w.sources))
	for p := range w.sources {
		now[p] = maps.Clone(w.sources[p])
	}
	w.was = append(w.was, now)
}

// spoil removes, or writes to, what a task has made.
func (w *spoken) spoil(i int) {
	at := filepath.Join(w.root, fmt.Sprintf("p%d", w.tasks[i].project), w.cells(i)[0])
	switch w.IntN(4) {
	case 0:
		w.must(os.RemoveAll(at))
	case 1:
		_ = os.Remove(at + "/empty")
	case 2:
		_ = os.Chmod(at+"/kept", 0o700)
	case 3:
		_ = os.WriteFile(at+"/all", []byte("spoilt\n"), 0o644)
	}
}

func (w *spoken) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// write brings the sources in a tree up to date; what is right is not touched.
func (w *spoken) write(root string) {
	w.must(os.MkdirAll(root+"/.haz", 0o755))
	w.put(root+"/.haz/workspace.yml", "- projects: [/p*]\n")
	for p, files := range w.sources {
		dir := fmt.Sprintf("%s/p%d", root, p)
		var there []string
		_ = filepath.WalkDir(dir+"/src", func(at string, _ fs.DirEntry, err error) error {
			there = append(there, at)
			return nil
		})
		for _, at := range slices.Backward(there) {
			name, _ := strings.CutPrefix(at, dir+"/src/")
			if _, is := files[name]; !is {
				_ = os.Remove(at) // folders in use stay
			}
		}
		for name, what := range files {
			w.put(dir+"/src/"+name, what)
		}
		w.put(dir+"/haz.yml", "- "+w.project(p))
		w.put(dir+"/.env", "- "+w.dotenv[p])
		if w.local[p] == "" {
			_ = os.Remove(dir + "/.env.local")
		} else {
			w.put(dir+"/.env.local", "- "+w.local[p])
		}
	}
}

// put makes what is said at a path.
func (w *spoken) put(at, what string) {
	kind, text, _ := strings.Cut(what, " ")
	info, err := os.Lstat(at)
	mode := fs.FileMode(0o644)
	switch kind {
	case "d":
		if err == nil && !info.IsDir() {
			w.must(os.Remove(at))
		}
		w.must(os.MkdirAll(at, 0o755))
		return
	case ">":
		w.must(os.MkdirAll(filepath.Dir(at), 0o755))
		if is, err := os.Readlink(at); err != nil || is != text {
			w.must(os.RemoveAll(at))
			w.must(os.Symlink(text, at))
		}
		return
	case "x":
		mode = 0o755
	}
	if err == nil && info.Mode() == mode {
		if is, _ := os.ReadFile(at); string(is) == text {
			return
		}
		w.must(os.WriteFile(at, []byte(text), mode))
		w.must(os.Chtimes(at, info.ModTime(), info.ModTime())) // as rsync does
		return
	}
	w.must(os.RemoveAll(at))
	w.must(os.MkdirAll(filepath.Dir(at), 0o755))
	w.must(os.WriteFile(at, []byte(text), mode))
}

// seen is what was seen of a task in a run.
type seen struct {
	Outcome, Printed string
	Made             map[string]string
}

// judge runs in the tree, and in a fresh one, and compares.
func (w *spoken) judge() {
	var target int
	var args []string
	if target = w.IntN(4*len(w.tasks)) - 3*len(w.tasks); target >= 0 && w.tasks[target].arguments > 0 && w.IntN(3) > 0 {
		args = []string{"-x", []string{"a b", "it's", "*"}[w.IntN(3)]}
	}
	w.note("run %d %q", target, args)
	w.write(w.root)
	got := w.run(w.root, target, args, true)
	clean := w.t.TempDir()
	w.write(clean)
	want := w.run(clean, target, args, false)
	if diff := gocmp.Diff(want, got); diff != "" {
		w.t.Errorf("a clean run, and this one:\n%s", diff)
	}
	w.must(os.RemoveAll(clean))
}

// run runs a task, or all of them, and says what was seen of each.
func (w *spoken) run(root string, target int, args []string, count bool) map[string]*seen {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOSTED=" + w.host, fmt.Sprintf("NOISE=%d", w.noise), "MARKS=" + w.marks}
	if w.ci {
		env = append(env, "CI=1")
	}
	ctx := w.t.Context()
	ws, err := haz.Open(ctx, root, haz.WithEnvironment(env), haz.WithCPUs(4))
	w.must(err)
	defer ws.Close()
	what := haz.Selection{Workspace: true}
	if target >= 0 {
		r, err := haz.ParseReference(fmt.Sprintf("p%d:t%d", w.tasks[target].project, target))
		w.must(err)
		what = haz.Selection{References: []haz.Reference{r}}
	}
	selected, err := ws.Select(ctx, what)
	w.must(err)
	plan, err := ws.WithArguments(selected.Plan, args)
	w.must(err)
	all := map[string]*seen{}
	of := func(id haz.TaskID) *seen {
		if all[id.String()] == nil {
			all[id.String()] = &seen{Made: map[string]string{}}
		}
		return all[id.String()]
	}
	result, err := ws.RunPlan(ctx, plan, haz.RunOptions{Observer: func(e haz.Event) {
		switch e := e.(type) {
		case haz.TaskOutput:
			of(e.Task).Printed += string(e.Bytes)
		case haz.AttemptFailed:
			of(e.Task).Printed = ""
		}
	}})
	w.must(err)
	for _, o := range result.Outcomes {
		x := of(o.Task)
		x.Outcome = o.Status.String()
		if o.Error != nil {
			x.Outcome += ": " + o.Error.Reason
		}
		switch {
		case o.Status != haz.Completed && o.Cause != messages.ConditionFalse:
			w.t.Errorf("%s %s: %s\n%s", o.Task, x.Outcome, o.Cause, x.Printed)
		case count && o.Source == haz.FromCache:
			w.cached++
		case count:
			w.fresh++
		}
	}
	for i, t := range w.tasks {
		for c, cell := range w.cells(i) {
			id := fmt.Sprintf("p%d:t%d", t.project, i)
			if t.matrix > 0 {
				id += fmt.Sprintf("[cell=c%d]", c)
			}
			if x := all[id]; x != nil && t.outputs < 3 && x.Outcome == haz.Completed.String() {
				x.Made = w.made(filepath.Join(root, fmt.Sprintf("p%d", t.project), cell))
			}
		}
	}
	return all
}

// made is what lies at a path, what a task does not keep aside.
func (w *spoken) made(at string) map[string]string {
	found := map[string]string{}
	w.must(filepath.WalkDir(at, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == at+"/cache" {
			return cmp.Or(err, error(fs.SkipDir))
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		if d.Type().IsRegular() {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			what += " " + string(text)
		}
		found[strings.TrimPrefix(name, at)] = what
		return nil
	}))
	return found
}
