package haz_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/cache/entry"
)

// The oracle of --affected (chapter 3, 4.4.6) on random repositories: each walks from one random workspace to the next, and at each step what is
// selected against the last commit is compared with the keys of both sides. A task whose key differs is selected; and what is selected has
// another key, or another body, or stands behind one that has. HAZ_SEEDS=N walks through N workspaces.
func TestAffectedIsExact(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	const walkers = 4
	steps := seedsOr(500)
	if testing.Short() {
		steps = seedsOr(20)
	}
	for walker := range walkers {
		t.Run(fmt.Sprint(walker), func(t *testing.T) {
			t.Parallel()
			top, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			s := &strollingRepo{affectedRepo: affectedRepo{t: t, top: filepath.Join(top, "repo"), env: gitEnvironment(top)}, rng: rand.New(rand.NewPCG(uint64(walker), 17))}
			s.write("haz.md", "x")
			s.git("init", "-q", "-b", "main")
			s.model = s.draw()
			selected, differing := 0, 0
			for range steps / walkers {
				a, b := s.step()
				selected, differing = selected+a, differing+b
			}
			if steps >= 100 && (differing < steps/walkers || selected > 3*differing) {
				t.Errorf("%d tasks differed and %d were selected: that tells little", differing, selected)
			}
		})
	}
}

// strollingRepo is a repository that goes from one random workspace to the next.
type strollingRepo struct {
	affectedRepo
	rng   *rand.Rand
	model *strolled
}

// strolled is a workspace as a test thinks of it.
type strolled struct {
	projects map[string]*strolledProject // by folder
	overlays map[string]*strolledOverlay // by file name
	settings string                      // lines of the workspace file
	files    map[string]string           // from the top of the repository
	links    map[string]string
	locked   map[string]string // versions of the package of each folder, and of one that all of them need, in the lock file
}

type strolledProject struct {
	name, tags, uses, more string
	tasks                  map[string]string // bodies
}

type strolledOverlay struct {
	tag   string
	tasks map[string]string
}

var (
	strolledNames = []string{"build", "test", "lint", "gen"}
	strolledTags  = []string{"red", "blue"}
	strolledDirs  = []string{"/a", "/b", "/c", "/a/inner"}
)

func (s *strollingRepo) pick(of ...string) string { return of[s.rng.IntN(len(of))] }

// draw makes a workspace from nothing.
func (s *strollingRepo) draw() *strolled {
	m := &strolled{projects: map[string]*strolledProject{}, overlays: map[string]*strolledOverlay{}, files: map[string]string{}, links: map[string]string{}, locked: map[string]string{}}
	for _, dir := range strolledDirs[:2+s.rng.IntN(3)] {
		m.projects[dir] = s.project(dir)
	}
	for _, dir := range strolledDirs {
		for _, name := range []string{"x.c", "y.c", "z.txt"} {
			m.files["ws"+dir+"/"+name] = s.text()
		}
	}
	m.files["shared/s.c"], m.files["ws/common/k.c"] = s.text(), s.text()
	m.links["ws/a/linked.c"], m.links["ws/b/folder"] = "../../shared/s.c", "../common"
	return m
}

func (s *strollingRepo) text() string { return fmt.Sprint(s.rng.Uint64()) }

func (s *strollingRepo) project(dir string) *strolledProject {
	p := &strolledProject{name: strings.ReplaceAll(dir[1:], "/", "-"), tags: s.pick("", "red", "red, blue"), tasks: map[string]string{}}
	for _, name := range strolledNames {
		if s.rng.IntN(3) > 0 {
			p.tasks[name] = s.body(name)
		}
	}
	return p
}

// body is one of a task. Who depends on whom follows the order of the names, so that there is no circle.
func (s *strollingRepo) body(name string) string {
	inputs := s.pick("[x.c]", `["*.c"]`, `["*.txt", "!x.*"]`, "[$project]", `["folder/**"]`, "[linked.c?]", "[x.c, $lock]", "[$project, $lock]", `["/common/**", y.c]`, "[$set]")
	inputs = strings.ReplaceAll(inputs, "linked.c?", "\"linke[d].c\"")
	body := fmt.Sprintf(`shell: ": %s", inputs: %s`, s.pick("1", "2", "3"), inputs)
	at := slices.Index(strolledNames, name)
	if at > 0 {
		up := strolledNames[s.rng.IntN(at)]
		body += fmt.Sprintf(`, deps: [%s]`, s.pick(fmt.Sprintf("%q", "^:"+up+"?"), fmt.Sprintf("%q", "~:"+up+"?"), fmt.Sprintf("%q", "^uses:"+up+"?"), fmt.Sprintf("%q", "[red]:"+up+"?"), ""))
	}
	if s.rng.IntN(4) == 0 {
		body = strings.Replace(body, `shell: ": `, fmt.Sprintf(`outputs: [%s.out], shell: "cat *.c > %s.out; : `, name, name), 1)
	}
	if s.rng.IntN(5) == 0 {
		body += ", timeout: " + s.pick("1m", "2m") + ", description: " + s.pick("one", "two")
	}
	return "{" + body + "}"
}

// change changes something, or what amounts to nothing.
func (s *strollingRepo) change(m *strolled) string {
	dirs := slices.Sorted(maps.Keys(m.projects))
	dir := dirs[s.rng.IntN(len(dirs))]
	p, name := m.projects[dir], strolledNames[s.rng.IntN(len(strolledNames))]
	switch s.rng.IntN(18) {
	case 0, 1:
		files := slices.Sorted(maps.Keys(m.files))
		file := files[s.rng.IntN(len(files))]
		m.files[file] = s.text()
		return "edit " + file
	case 2:
		file := "ws" + strolledDirs[s.rng.IntN(len(strolledDirs))] + "/" + s.pick("new.c", "new.txt", "sub/n.c", "x.c")
		if _, there := m.files[file]; there {
			delete(m.files, file)
			return "remove " + file
		}
		m.files[file] = s.text()
		return "add " + file
	case 3, 4:
		p.tasks[name] = s.body(name)
		return "another " + name + " in " + dir
	case 5:
		delete(p.tasks, name)
		return "no " + name + " in " + dir
	case 6:
		p.tags = s.pick("", "red", "blue", "red, blue")
		return "tags of " + dir
	case 7:
		p.more = "# " + s.text()
		return "a comment in " + dir
	case 8:
		dir := strolledDirs[s.rng.IntN(len(strolledDirs))]
		if m.projects[dir] == nil {
			m.projects[dir] = s.project(dir)
			return "a project in " + dir
		} else if len(m.projects) > 2 {
			delete(m.projects, dir)
			return "no project in " + dir
		}
		return "nothing"
	case 9, 10:
		file := s.pick("wide.yml", "narrow.yml")
		if m.overlays[file] != nil {
			delete(m.overlays, file)
			return "no " + file
		}
		o := &strolledOverlay{tasks: map[string]string{name: s.body(name)}}
		if file == "narrow.yml" {
			o.tag = strolledTags[s.rng.IntN(2)]
		}
		m.overlays[file] = o
		return file
	case 11:
		m.settings = s.pick("", "# "+s.text()+"\n", "defaults: {inputs: [z.txt]}\n", "execution: {umask: \"0027\"}\n", "output: {mode: buffered}\n", "files: {more: [x.c]}\n")
		return "settings"
	case 12:
		uses := slices.DeleteFunc(slices.Clone(dirs), func(d string) bool { return d == dir || s.rng.IntN(2) == 0 })
		p.uses = ""
		for _, d := range uses {
			p.uses += m.projects[d].name + ", "
		}
		return "what " + dir + " uses"
	case 13:
		m.links["ws/a/linked.c"] = s.pick("../../shared/s.c", "x.c", "../common/k.c")
		return "where a link leads"
	case 15, 16:
		which := s.pick("a", "b", "c", "a-inner", "all", "words")
		m.locked[which] = s.text()
		return "the version of " + which
	case 14:
		p.tasks[name] = strings.Replace(p.tasks[name], "description: one", "description: two", 1)
		return "a description in " + dir
	}
	p.name = s.pick(p.name, p.name+"2", strings.TrimSuffix(p.name, "2"))
	return "the name of " + dir
}

// lay writes the workspace where it belongs, in place of all that was there.
func (s *strollingRepo) lay(m *strolled) {
	s.t.Helper()
	for _, name := range []string{"ws/a", "ws/b", "ws/c", "ws/common", "ws/.haz/tasks", "shared"} {
		s.remove(name)
	}
	for name, text := range m.files {
		s.write(name, text)
	}
	for name, text := range m.links {
		s.link(name, text)
	}
	names := map[string]bool{}
	for _, p := range m.projects {
		names[p.name] = true
	}
	var list []string
	for dir, p := range m.projects {
		list = append(list, dir)
		text := "name: " + p.name + "\ntags: [" + p.tags + "]\nfiles: {set: [x.c, z.txt]}\n" + p.more + "\n"
		var uses []string
		for _, u := range strings.Split(p.uses, ", ") {
			if u != "" && names[u] && u != p.name {
				uses = append(uses, u)
			}
		}
		text += "uses: [" + strings.Join(uses, ", ") + "]\ntasks:\n"
		for name, body := range p.tasks {
			text += "  " + name + ": " + body + "\n"
		}
		if len(p.tasks) == 0 {
			text = strings.TrimSuffix(text, "tasks:\n")
		}
		s.write("ws"+dir+"/haz.yml", text)
		s.write("ws"+dir+"/package.json", "{}")
	}
	s.write("ws/pnpm-workspace.yaml", "packages: [a, b, c, a/inner]\n")
	s.write("ws/pnpm-lock.yaml", m.lock())
	slices.Sort(list)
	s.write("ws/.haz/workspace.yml", "infer: [node]\nprojects: ["+strings.Join(list, ", ")+"]\n"+m.settings)
	for file, o := range m.overlays {
		text := ""
		if o.tag != "" {
			text = "tagsFilter: [" + o.tag + "]\n"
		}
		text += "tasks:\n"
		for name, body := range o.tasks {
			text += "  " + name + ": " + body + "\n"
		}
		s.write("ws/.haz/tasks/"+file, text)
	}
	s.write(".gitignore", "*.out\n.haz/cache\n.haz/state\n")
}

// lock is a lock file in which c uses b, and a and b need what all of them do.
func (m *strolled) lock() string {
	version := func(of string) string { return cmp.Or(m.locked[of], "1") }
	importers, packages, snapshots := "", "", "  all@"+version("all")+": {}\n"
	for _, dir := range strolledDirs {
		p := strings.ReplaceAll(dir[1:], "/", "-")
		used, needs := "", ""
		if p == "c" {
			used = ", used: {version: 'link:../b'}"
		}
		if p == "a" || p == "b" {
			needs = "dependencies: {all: '" + version("all") + "'}"
		}
		importers += "  " + dir[1:] + ": {dependencies: {of-" + p + ": {version: '" + version(p) + "'}" + used + "}}\n"
		packages += "  of-" + p + "@" + version(p) + ": {}\n"
		snapshots += "  of-" + p + "@" + version(p) + ": {" + needs + "}\n"
	}
	return "lockfileVersion: '9.0' # " + version("words") + "\nimporters:\n" + importers + "packages:\n" + packages + "snapshots:\n" + snapshots
}

// effective is the body of each task, as the test understands overlays: a project's own, else the narrow one, else the wide one.
func (m *strolled) effective() map[haz.TaskID]string {
	list := map[haz.TaskID]string{}
	for dir, p := range m.projects {
		for _, file := range []string{"wide.yml", "narrow.yml"} {
			if o := m.overlays[file]; o != nil && (o.tag == "" || slices.Contains(strings.Split(p.tags, ", "), o.tag)) {
				for name, body := range o.tasks {
					list[haz.TaskID{Project: p.name, Task: name}] = dir + body
				}
			}
		}
		for name, body := range p.tasks {
			list[haz.TaskID{Project: p.name, Task: name}] = dir + body
		}
	}
	for id, body := range list { // what is for people alone is nothing
		if strings.HasPrefix(m.settings, "defaults") {
			body += m.settings
		}
		for _, word := range []string{"one", "two"} {
			body = strings.Replace(body, ", description: "+word, "", 1)
		}
		list[id] = body
	}
	said := maps.Clone(list)
	for id, body := range said { // $project is without what the tasks of the project make
		if strings.Contains(body, "$project") {
			for _, name := range strolledNames {
				if strings.Contains(said[haz.TaskID{Project: id.Project, Task: name}], "outputs:") {
					list[id] += " less " + name
				}
			}
		}
	}
	return list
}

func (m *strolled) clone() *strolled {
	c := &strolled{projects: map[string]*strolledProject{}, overlays: map[string]*strolledOverlay{}, settings: m.settings, files: maps.Clone(m.files), links: maps.Clone(m.links), locked: maps.Clone(m.locked)}
	for dir, p := range m.projects {
		q := *p
		q.tasks = maps.Clone(p.tasks)
		c.projects[dir] = &q
	}
	for file, o := range m.overlays {
		c.overlays[file] = &strolledOverlay{o.tag, maps.Clone(o.tasks)}
	}
	return c
}

// step commits what is there, goes to another workspace that loads, and judges. It returns how many tasks were selected, and how many
// have another key.
func (s *strollingRepo) step() (selected, differing int) {
	s.t.Helper()
	s.lay(s.model)
	if _, err := s.loads(); err != nil { // the first one
		s.model = s.draw()
		return s.step()
	}
	s.git("add", "-A")
	s.git("commit", "-q", "--allow-empty", "-m", "step")
	before := s.keys()
	next, did := s.model.clone(), []string{}
	for range 1 + s.rng.IntN(3) {
		did = append(did, s.change(next))
	}
	s.lay(next)
	w, err := s.loads()
	if err != nil { // no workspace: another step from here
		return s.step()
	}
	if s.rng.IntN(2) == 0 { // committed or not is the same
		s.git("add", "-A")
	}
	found, err := w.Select(context.Background(), haz.Selection{Workspace: true, Changes: &haz.Changes{Kind: haz.Affected, Revision: "HEAD", Environment: s.env}})
	if err != nil {
		s.t.Fatalf("%v: %v", did, err)
	}
	for _, d := range found.Warnings {
		s.t.Errorf("%v: %s", did, d.Message)
	}
	differ := s.judgeExact(w, found, before, next, did)
	s.model = next
	return len(found.Targets), differ
}

func (s *strollingRepo) loads() (*haz.Workspace, error) {
	w, err := s.open()
	if err == nil {
		s.t.Cleanup(func() { _ = w.Close() })
	}
	return w, err
}

// judgeExact compares a selection with the keys of before and now, and returns how many differ.
func (s *strollingRepo) judgeExact(w *haz.Workspace, found *haz.Selected, before map[haz.TaskID]entry.Key, next *strolled, did []string) int {
	s.t.Helper()
	was, is := s.model.effective(), next.effective()
	var seeds []int
	differing := 0
	now := s.keys()
	for i, task := range w.W.Tasks {
		old, known := before[task.ID]
		key, has := now[task.ID]
		other := known != has || old != key
		if other && has {
			differing++
			if _, chosen := slices.BinarySearch(found.Targets, i); !chosen {
				s.t.Errorf("%v: %s has another key and is not selected", did, task.ID)
			}
		}
		if other || !has || was[task.ID] != is[task.ID] { // one that failed has no key to compare
			seeds = append(seeds, i)
		}
	}
	may := append(w.G.Downstream(seeds), seeds...)
	for _, i := range found.Targets {
		if !slices.Contains(may, i) {
			id := w.W.Tasks[i].ID
			s.t.Errorf("%v: %s is selected (%s), and neither it nor what it stands behind differs: %s, was %s\n%s", did, id, found.ReasonOf(i), is[id], was[id], s.git("diff", "--stat", "-p", "HEAD"))
		}
	}
	return differing
}
