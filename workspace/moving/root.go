package moving

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// What readers of tools share whose tasks belong to the repository as a whole: one project, the root.

// rootTasks are the tasks of the root, the only project, while they are gathered.
type rootTasks struct {
	project *project
	used    map[string]bool   // names
	made    map[string]*task  // by name
	asked   map[string]string // the task that asks git, by the questions
	order   [][2]string       // names: the first comes before the second
}

// rootProject is the root as the only project, called as its folder is.
func (s *source) rootProject() *rootTasks {
	p := &project{dir: "/", name: cmp.Or(cleanName(s.options.Folder), "root")}
	s.draft.projects = append(s.draft.projects, p)
	return &rootTasks{project: p, used: map[string]bool{}, made: map[string]*task{}, asked: map[string]string{}}
}

// add puts a task into the project, once.
func (m *rootTasks) add(t *task) {
	if m.made[t.name] == nil {
		m.made[t.name] = t
		m.project.tasks = append(m.project.tasks, t)
	}
}

// binary is the program that go build makes of the package in a folder, if it is one.
func (s *source) binary(dir string) (name string, isMain bool) {
	for _, e := range s.disk.List(dir) {
		if e.Kind != fsys.File || path.Ext(e.Name) != ".go" || strings.HasSuffix(e.Name, "_test.go") {
			continue
		}
		isMain = isMain || packageMain().Match(s.disk.Head(path.Join(dir, e.Name), 64<<10))
	}
	name = path.Base(dir)
	if m := moduleLine().FindSubmatch(s.disk.Head(path.Join(dir, "go.mod"), 64<<10)); m != nil {
		module := string(m[1])
		if last := path.Base(module); len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
			module = path.Dir(module)
		}
		name = path.Base(module)
	}
	return name, isMain
}

var (
	packageMain = lazily(`(?m)^package main\b`)
	moduleLine  = lazily(`(?m)^module\s+"?([^\s"]+)`)
)

// given is how a path of inputs is spelled that need not be there: as it is where it is there, a folder as what lies in it, and
// otherwise as a glob.
func (s *source) given(name string) []string {
	p, err := pattern.Parse(name)
	bare := strings.TrimSuffix(name, "/")
	switch {
	case err != nil:
		return nil
	case !p.IsLiteral():
		return []string{name}
	case s.disk.RealDir("/"+bare) != "":
		return []string{bare + "/**"}
	case s.disk.Has("/" + bare):
		return []string{bare}
	}
	return []string{asGlob(bare)}
}

// makes is how a path of outputs is spelled.
func (s *source) makes(name string) []string {
	if _, err := pattern.Parse(name); err != nil {
		return nil
	}
	return []string{name}
}

// plain makes the script a command where no shell has to read it. Arguments come behind a command.
func (k *task) plain(s settled) {
	text, all := strings.CutSuffix(s.text, ` "$@"`)
	if s.study.Lines != 1 || len(s.study.Commands) != 1 || len(s.study.Writes) > 0 || s.study.Arguments && !all || s.study.Leaks || k.shellOptions != nil {
		return
	}
	if strings.ContainsAny(text, "|&;<>()$`\\\"'*?[]{}#~!=\n") || shellWords[strings.Fields(text)[0]] {
		return
	}
	k.command, k.shell, k.shellType = strings.Fields(text), "", ""
}

// shellWords are words in the place of a command that are no programs.
var shellWords = set(": command type hash wait umask times getopts local alias fg bg jobs source")

// asker is our name of the task that asks git questions.
func (m *rootTasks) asker(questions []string) string {
	key := strings.Join(questions, "\n")
	if name := m.asked[key]; name != "" {
		return name
	}
	name := unusedName("asks-git", m.used)
	m.asked[key] = name
	k := &task{name: name}
	k.internal, k.noCache = true, true
	k.comments = []string{"what it prints is in the keys of the tasks that ask the same"}
	for _, q := range questions {
		k.shell += "(" + q + ") || true\n"
	}
	m.add(k)
	return name
}

// finish makes what readers wrote fit together: outputs of several tasks, tracked files among them, what comes before what, and the
// variables that toolchains need.
func (s *source) finish(p *project, order [][2]string) {
	p.overlapping()
	for _, t := range p.tasks {
		s.keepTracked(p, t)
	}
	p.apart()
	s.inOrder(p, order)
	s.toolchains(p)
}

// overlapping makes globs of outputs that several tasks name: of two literals only one may be declared.
func (p *project) overlapping() {
	type named struct {
		task *task
		at   int
	}
	var all []named
	for _, t := range p.tasks {
		for i, o := range t.outputs {
			if q, err := pattern.Parse(strings.TrimSuffix(o, "/")); err == nil && q.IsLiteral() && !strings.HasPrefix(o, "!") {
				all = append(all, named{t, i})
			}
		}
	}
	text := func(n named) string { return strings.TrimSuffix(n.task.outputs[n.at], "/") }
	meets := map[named]bool{}
	for i, a := range all {
		for _, b := range all[i+1:] {
			x, y := text(a), text(b)
			if a.task != b.task && (x == y || strings.HasPrefix(x, y+"/") || strings.HasPrefix(y, x+"/")) {
				meets[a], meets[b] = true, true
			}
		}
	}
	for n := range meets {
		n.task.outputs[n.at] = asGlob(text(n))
	}
}

// keepTracked makes what git tracks an input where outputs take it, or it would be no source any more.
func (s *source) keepTracked(p *project, t *task) {
	for i, o := range t.outputs {
		bare := strings.TrimSuffix(o, "/")
		q, err := pattern.Parse(bare)
		if err != nil || strings.HasPrefix(o, "!") {
			continue
		}
		if q = q.Anchor(p.dir); !slices.ContainsFunc(s.tracked, q.MatchOutput) {
			continue
		}
		if q.IsLiteral() { // a literal makes what reads the project wait for it; two of them, in a circle
			o = asGlob(bare)
			if s.disk.RealDir(path.Join(p.dir, bare)) != "" {
				o = bare + "/**"
			}
			t.outputs[i] = o
		}
		t.inputs = append(t.inputs, o)
	}
	t.inputs = unique(t.inputs)
}

// inOrder makes tasks wait that another task carries out one after the other, but where both are kept: these leave nothing to each other.
// What would go in a circle is left out.
func (s *source) inOrder(p *project, order [][2]string) {
	byName := map[string]*task{}
	for _, t := range p.tasks {
		byName[t.name] = t
	}
	next := func(name string) (names []string) {
		if t := byName[name]; t != nil {
			for _, ref := range slices.Concat(t.deps, t.streams, t.weakDeps) {
				names = append(names, strings.TrimPrefix(ref, "~:"))
			}
		}
		return names
	}
	for _, o := range order {
		a, b := byName[o[0]], byName[o[1]]
		ref := "~:" + o[0]
		if a == nil || b == nil || a == b || !a.noCache && !b.noCache && !a.groups() && !b.groups() || slices.Contains(b.deps, ref) || slices.Contains(b.weakDeps, ref) {
			continue
		}
		if !reaches(next, o[0], o[1]) {
			b.weakDeps = append(b.weakDeps, ref)
		}
	}
}

// groups reports whether a task does nothing but bring others.
func (t *task) groups() bool { return len(t.command) == 1 && t.command[0] == "true" }

// reaches reports whether one name leads to another one.
func reaches(next func(string) []string, from, to string) bool {
	seen, open := map[string]bool{}, []string{from}
	for len(open) > 0 {
		name := open[len(open)-1]
		open = open[:len(open)-1]
		if name == to {
			return true
		}
		if !seen[name] {
			seen[name] = true
			open = append(open, next(name)...)
		}
	}
	return false
}

// toolchain is what programs of one read of the environment: what their results depend on, and what they do not.
type toolchain struct {
	manifests      []string
	fromHost, pass []string
}

var toolchains = []toolchain{
	{[]string{"go.mod", "go.work"}, strings.Fields("CGO_ENABLED GOARCH GOEXPERIMENT GOFLAGS GOOS GOTOOLCHAIN GOWORK"), strings.Fields("GOBIN GOCACHE GOLANGCI_LINT_CACHE GOMODCACHE GONOPROXY GONOSUMDB GOPATH GOPRIVATE GOPROXY GOSUMDB")},
	{[]string{"package.json"}, nil, strings.Fields("COREPACK_HOME NODE_OPTIONS npm_config_*")},
	{[]string{"Cargo.toml"}, strings.Fields("CARGO_BUILD_TARGET RUSTFLAGS RUSTUP_TOOLCHAIN"), strings.Fields("CARGO_HOME CARGO_TARGET_DIR RUSTUP_HOME")},
	{[]string{"pyproject.toml", "setup.py", "requirements.txt"}, strings.Fields("PYTHONPATH VIRTUAL_ENV"), strings.Fields("PIP_* UV_*")},
}

// toolchains lets through what the tools of the repository need, by the manifests that are there.
func (s *source) toolchains(p *project) {
	d := &s.draft.defaults
	if slices.ContainsFunc(p.tasks, func(t *task) bool { return t.noCache }) {
		s.draft.comments = append(s.draft.comments, "Nothing says what tasks with `cache: false` make, so they run each time. To keep what one makes, list that in `outputs`, and remove `cache: false`.")
	}
	d.pass = append(d.pass, "CI")
	for _, tc := range toolchains {
		if slices.ContainsFunc(tc.manifests, s.hasManifest) {
			d.fromHost = append(d.fromHost, tc.fromHost...)
			d.pass = append(d.pass, tc.pass...)
		}
	}
	d.fromHost = slices.DeleteFunc(d.fromHost, func(name string) bool { return isSet(d.override, name) })
	d.pass = slices.DeleteFunc(d.pass, func(name string) bool { return slices.Contains(d.fromHost, name) || isSet(d.override, name) })
	for _, t := range p.tasks {
		t.fromHost = slices.DeleteFunc(t.fromHost, func(name string) bool { return slices.Contains(d.fromHost, name) || isSet(d.override, name) })
		if len(t.fromHost) == 0 {
			t.fromHost = nil
		}
	}
}

// hasManifest reports whether the root has such a file, or a folder of what git tracks.
func (s *source) hasManifest(name string) bool {
	return s.disk.Has("/"+name) || slices.ContainsFunc(s.tracked, func(file string) bool { return path.Base(file) == name })
}
