package load

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// directory is a selected directory of a project: canonical and workspace-absolute, with the entry that selected it.
type directory struct {
	path  string
	entry int // in the project list; -1 of the root that is a project though it is not listed
}

// directories is phase 3: it expands the project list, in the order of the list, globs sorted.
func (l *loader) directories() []directory {
	if l.ws.Mode == workspace.Implicit {
		return []directory{{path: "/", entry: -1}}
	}
	if l.settings == nil {
		return nil
	}
	entries := l.settings.Projects.Items
	c := canonical{fs: l.fs, known: map[string]string{"/": "/"}}
	l.lookAhead(&c, entries)
	var all []directory
	first := map[string]int{}          // directory: index in all
	repeated := map[[2]int]*repeated{} // entries: the directories that both select
	var order [][2]int                 // of repeated
	for i, e := range entries {
		if l.ctx.Err() != nil {
			return nil
		}
		for _, dir := range l.expand(&c, e) {
			var bad *pattern.SyntaxError
			if dir != "/" && errors.As(pattern.CheckPath(dir), &bad) {
				l.add(diag.Diagnostic{Code: bad.Rule, Place: l.place(i),
					Message: fmt.Sprintf("%s selects the directory %s: %s", diag.Quote(e.Value), diag.Quote(dir), bad.Reason)})
				l.ws.Partial.Projects = true
				continue
			}
			if at, again := first[dir]; again {
				pair := [2]int{all[at].entry, i}
				if repeated[pair] == nil {
					repeated[pair] = newRepeated(dir)
					order = append(order, pair)
				}
				repeated[pair].count++
				continue
			}
			first[dir] = len(all)
			all = append(all, directory{dir, i})
		}
	}
	if _, listed := first["/"]; !listed && l.o.Declared == nil && hasProject(l.fs, "/") {
		all = append(all, directory{"/", -1}) // DISC-005
	}
	for _, pair := range order {
		l.repeatedEntry(pair, repeated[pair])
	}
	return all
}

type repeated struct {
	dir   string
	count int
}

func newRepeated(dir string) *repeated { return &repeated{dir: dir} }

// repeatedEntry reports directories that two entries select (DISC-009): once for the two, however many they are.
func (l *loader) repeatedEntry(pair [2]int, r *repeated) {
	entries := l.settings.Projects.Items
	one, two := entries[pair[0]].Value, entries[pair[1]].Value
	more := ""
	if r.count > 1 {
		more = fmt.Sprintf(" (and %d more)", r.count-1)
	}
	l.add(diag.Diagnostic{Code: "DISC-009", Place: l.place(pair[1]),
		Message: fmt.Sprintf("%s and %s both select the directory %s%s", diag.Quote(one), diag.Quote(two), diag.Quote(r.dir), more),
		Hint:    "remove one of them, or narrow the glob",
		Related: []diag.Related{{Place: l.place(pair[0]), Label: "the other one is here"}}})
}

// place is where an entry of the project list stands.
func (l *loader) place(entry int) diag.Place {
	if entry < 0 {
		return diag.Place{}
	}
	return l.settings.Source.Place(l.settings.Projects.Items[entry].Span)
}

// expand returns the directories that an entry selects, canonical.
func (l *loader) expand(c *canonical, e config.Pattern) []string {
	fail := func(code, message, hint string) []string {
		l.add(diag.Diagnostic{Code: code, Place: l.settings.Source.Place(e.Span), Message: message, Hint: hint})
		l.ws.Partial.Projects = true
		return nil
	}
	if e.Glob.IsLiteral() {
		dir, err := c.dir(e.Value)
		switch {
		case err == nil && dir == "/" && e.Value != "/":
			return fail("DISC-005", diag.Quote(e.Value)+" leads to the root of the workspace, which is written \"/\"", `write "/"`)
		case err == nil && len(l.notCheckedOut()) > 0 && !exists(l.fs, path.Join(dir, layout.ProjectFile)) && l.leaveOut(e):
			return nil // what git does not know is there still
		case err == nil:
			return []string{dir}
		case errors.Is(err, fsys.ErrOutside):
			text, _ := l.fs.Readlink(e.Value)
			return fail("DISC-022", fmt.Sprintf("%s leads out of the workspace%s", diag.Quote(e.Value), linkTo(text)), "")
		case errors.Is(err, errNotDir):
			return fail("DISC-007", diag.Quote(e.Value)+" is "+kindOf(l.fs, e.Value)+", not a directory", "an entry names the folder of a project, not its haz.yml")
		case errors.Is(err, fs.ErrNotExist) && l.leaveOut(e):
			return nil
		case errors.Is(err, fs.ErrNotExist):
			message := diag.Quote(e.Value) + " does not exist"
			if text, err := l.fs.Readlink(e.Value); err == nil {
				message = diag.Quote(e.Value) + " is a link to nothing: " + diag.Quote(text)
			}
			return fail("DISC-007", message, l.near(e.Value))
		default:
			d := diag.Diagnostic{Code: "DISC-007", Place: l.settings.Source.Place(e.Span),
				Message: diag.Quote(e.Value) + " cannot be examined", Causes: []string{fsys.Cause(err).Error()}}
			l.add(d)
			l.ws.Partial.Projects = true
			return nil
		}
	}
	dirs, err := l.tree.Directories(l.ctx, e.Glob)
	if err != nil {
		for _, one := range joined(err) {
			l.globTrouble(e, one)
		}
		return dirs
	}
	if left := l.leaveOut(e); len(dirs) == 0 && !left {
		return fail("DISC-006", diag.Quote(e.Value)+" selects no directory", l.existingPrefix(e.Glob.FixedPrefix()))
	}
	return slices.DeleteFunc(dirs, func(dir string) bool { return l.leftOut[dir] })
}

// globTrouble reports one thing that is wrong with what a glob selects.
func (l *loader) globTrouble(e config.Pattern, err error) {
	d := diag.Diagnostic{Code: "DISC-006", Place: l.settings.Source.Place(e.Span),
		Message: diag.Quote(e.Value) + " cannot be expanded", Causes: []string{err.Error()}}
	var w *tree.DirectoryError
	if errors.As(err, &w) {
		d.Code, d.Causes = w.Rule, nil
		switch {
		case errors.Is(err, fsys.ErrOutside):
			d.Message = fmt.Sprintf("%s selects %s, which leads out of the workspace%s", diag.Quote(e.Value), diag.Quote(w.Path), linkTo(w.Link))
		default:
			d.Message = fmt.Sprintf("%s selects the directory %s: it %s", diag.Quote(e.Value), diag.Quote(w.Path), w.Reason)
		}
		var bad *pattern.SyntaxError
		if errors.As(pattern.CheckPath(w.Path), &bad) {
			d.Message = fmt.Sprintf("%s selects the directory %s: %s", diag.Quote(e.Value), diag.Quote(w.Path), bad.Reason)
		}
	}
	l.add(d)
	l.ws.Partial.Projects = true
}

// joined takes errors that were joined apart.
func joined(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

func linkTo(text string) string {
	if text == "" {
		return ""
	}
	return " (a link to " + diag.Quote(text) + ")"
}

// near suggests the sibling whose name is nearest to the last segment of a path that does not exist.
func (l *loader) near(name string) string {
	dir := path.Dir(name)
	entries, err := l.fs.List(dir)
	if err != nil {
		return l.existingPrefix(dir)
	}
	var names []string
	for _, e := range entries {
		if e.Kind == fsys.Dir {
			names = append(names, e.Name)
		}
	}
	if near := diag.Nearest(path.Base(name), names); near != "" {
		return diag.DidYouMean(path.Join(dir, near))
	}
	return ""
}

// existingPrefix says how much of a directory path is there.
func (l *loader) existingPrefix(dir string) string {
	for at := dir; ; at = path.Dir(at) {
		info, err := l.fs.StatInfo(at)
		switch {
		case err == nil && info.Kind == fsys.Dir && at == dir:
			return diag.Quote(at) + " exists, and has no matching directory"
		case err == nil && info.Kind == fsys.Dir:
			return diag.Quote(at) + " exists, but not " + diag.Quote(dir)
		case err == nil:
			return diag.Quote(at) + " is no directory"
		case at == "/":
			return ""
		}
	}
}

var errNotDir = errors.New("not a directory")

// canonical resolves the links of directories (DISC-020), each of which it looks at once. A circle of links is an error of the
// file system here; a glob that meets one goes on (DISC-021).
type canonical struct {
	fs    fsys.FS
	mu    sync.Mutex
	known map[string]string
}

// lookAhead looks at the directories that entries name, on all CPUs. What is wrong with one is found again, and told, in the order of entries.
func (l *loader) lookAhead(c *canonical, entries []config.Pattern) {
	l.parallel(len(entries), func(i int) {
		if e := entries[i]; e.Glob.IsLiteral() {
			_, _ = c.dir(e.Value)
		}
	})
}

// dir returns the directory without links. Where it is no directory the error is errNotDir.
func (c *canonical) dir(name string) (string, error) {
	c.mu.Lock()
	known, ok := c.known[name]
	c.mu.Unlock()
	if ok {
		return known, nil
	}
	parent, err := c.dir(path.Dir(name))
	if err != nil {
		return "", err
	}
	real := path.Join(parent, path.Base(name))
	info, err := c.fs.Lstat(real)
	if err == nil && info.Kind == fsys.Link {
		if real, err = c.fs.RealPath(real); err == nil {
			info, err = c.fs.Lstat(real)
		}
	}
	switch {
	case err != nil:
		return "", err
	case info.Kind != fsys.Dir:
		return "", errNotDir
	}
	c.mu.Lock()
	c.known[name] = real
	c.mu.Unlock()
	return real, nil
}

// project is a project while it loads. What it is known by is the name in its haz.yml, not its directory (haz::cfg::011).
type project struct {
	*workspace.Project                   // nil: it has no name that it could be known by
	own                []*workspace.Task // its own tasks, in the order of the file
	waiting            []config.Task     // those that inherit, until it is known from whom
	builder            *builder          // of those
	base               *merged           // what it and the workspace say of tasks that do not say it; nil for nothing
	namePlace          diag.Place
	uses               []config.Text  // as its haz.yml has them
	aliases            []config.Text  // likewise
	src                *config.Source // of that

	aliasesKnown, tagsKnown, tasksKnown bool
	diags                               diag.List
	sets                                *sets // nil: its file could not be read
	bad                                 []badReference
	dir                                 directory
	bare                                bool     // there is no haz.yml
	scripts                             *scripts // nil: it has none
}

// readProjects is phase 4: it reads the haz.yml of all directories side by side.
func (l *loader) readProjects(dirs []directory) []*project {
	projects := make([]*project, len(dirs))
	l.parallel(len(dirs), func(i int) { projects[i] = l.readProject(dirs[i]) })
	projects = slices.DeleteFunc(projects, func(p *project) bool { return p == nil }) // the context ended
	l.withoutFile(projects)
	for _, p := range projects {
		l.diags = append(l.diags, p.diags...)
	}
	return projects
}

func (l *loader) readProject(dir directory) *project {
	name := inside(path.Join(dir.path, layout.ProjectFile))
	rule := "DISC-008"
	if l.ws.Mode == workspace.Implicit {
		rule = "DISC-003"
	}
	p := &project{dir: dir}
	f := config.File{Name: name, Rule: rule}
	var c *config.Project
	var diags diag.List
	inferred := len(l.inferred.at[dir.path]) > 0
	if l.o.Declared != nil && inferred && dir.entry < 0 {
		c, name = nothingSaid(), ""
	} else if l.o.Declared != nil {
		f, name = l.o.Declared.Projects[l.place(dir.entry).File], ""
	} else if inferred && !exists(l.fs, "/"+name) {
		c, name = nothingSaid(), ""
	} else if text, d := l.readFile(name, rule); d == nil {
		f.Text = text
	} else {
		l.explainMissing(d, dir)
		p.bare = d.Message == missing && d.Hint == "" && l.ws.Mode == workspace.Explicit
		p.diags = append(p.diags, *d)
		return p
	}
	if c == nil {
		c, diags = config.ReadProject(f)
	}
	for i := range diags {
		if diags[i].Code == rule { // not UTF-8: about the file, like the errors of reading it
			l.selectedBy(&diags[i], dir)
		}
	}
	diags = l.fill(p, c, diags)
	p.diags = append(p.diags, diags...)
	p.aliasesKnown, p.tagsKnown, p.tasksKnown = c.AliasesKnown, c.TagsKnown, c.TasksKnown
	if !c.Name.Set {
		// Nobody can refer to it, but its tasks are checked all the same.
		c.Name.Value = ""
	}
	project := &workspace.Project{Name: c.Name.Value, Dir: dir.path, File: name}
	if len(c.Tags.Items) > 0 {
		project.Tags = make([]string, len(c.Tags.Items))
		for i, t := range c.Tags.Items {
			project.Tags[i] = t.Value
		}
		slices.Sort(project.Tags)
	}
	p.sets = l.projectSets(c.Name.Value, c)
	b := builder{ctx: l.ctx, src: c.Source, files: l.files, nested: l.nested, locks: l.inferred.locks, ends: l.ends, known: map[*config.Body]bool{}, seen: map[*workspace.Project]*sets{project: p.sets}, sets: p.sets}
	p.base = l.base
	if d := newDefaults(c.Source, c.Defaults, c.Env.Strict); d != nil {
		p.base = l.base.with(d)
		b.defaults(p.base, project)
	}
	if p.base != nil {
		project.Defaults = b.plain(p.base, project)
	}
	scripts, bad := l.scriptsOf(dir.path)
	p.scripts, p.diags = scripts, append(p.diags, bad...)
	p.own = make([]*workspace.Task, 0, len(c.Tasks))
	for _, t := range c.Tasks {
		if t.Body.Inherit.Value {
			p.waiting = append(p.waiting, t)
		} else {
			p.own = append(p.own, b.tasks(project, t, p.base, "")...)
		}
	}
	b.checkOwnSets(p.sets, c.Files)
	p.diags, p.bad = append(p.diags, b.diags...), b.bad
	if len(p.waiting) > 0 {
		b.diags = nil
		p.builder = &b
	}
	p.uses, p.aliases, p.src = c.Uses.Items, c.Aliases.Items, c.Source
	if c.Name.Set {
		p.Project = project
		if p.namePlace.File == "" {
			p.namePlace = c.Source.Place(c.Name.Span)
		}
	}
	return p
}

// withoutFile makes one diagnostic of the folders without a haz.yml that one glob selects: it is one mistake.
func (l *loader) withoutFile(projects []*project) {
	type group struct {
		bare   []*project
		listed []string // the others that the entry selects
	}
	groups := map[int]*group{}
	for _, p := range projects {
		at := p.dir.entry
		if at < 0 || l.settings.Projects.Items[at].Glob.IsLiteral() {
			continue
		}
		if groups[at] == nil {
			groups[at] = &group{}
		}
		if p.bare {
			groups[at].bare = append(groups[at].bare, p)
		} else {
			groups[at].listed = append(groups[at].listed, p.dir.path)
		}
	}
	for at, g := range groups {
		if len(g.bare) == 0 {
			continue
		}
		first := &g.bare[0].diags[0]
		first.Hint = "narrow the glob, or write one: name: " + nameFor(g.bare[0].dir.path)
		if list := strings.Join(g.listed, ", "); list != "" && len(list) <= listedMax {
			first.Hint = "to leave out what is no project, write the others instead of " + diag.Quote(l.settings.Projects.Items[at].Value) + ": " + list
		}
		if len(g.bare) == 1 {
			continue
		}
		var more []string
		for _, p := range g.bare[1:] {
			more = append(more, diag.Quote(p.dir.path))
			p.diags = nil
		}
		if len(more) > foldersMax {
			more = append(more[:foldersMax], "…")
		}
		noun := "folder"
		if len(g.bare) > 2 {
			noun = "folders"
		}
		first.Message += fmt.Sprintf(", nor does that of %d more %s that %s selects: %s", len(g.bare)-1, noun, diag.Quote(l.settings.Projects.Items[at].Value), strings.Join(more, ", "))
	}
}

// What a diagnostic says of folders: how many it names, and how long a list is, in bytes.
const (
	foldersMax = 3
	listedMax  = 100
)

// explainMissing completes what is said about a haz.yml that is not there.
func (l *loader) explainMissing(d *diag.Diagnostic, dir directory) {
	if d.Message != missing {
		l.selectedBy(d, dir)
		return
	}
	l.sibling(d, inside(path.Join(dir.path, "haz.yaml")))
	if l.ws.Mode == workspace.Explicit {
		l.selectedBy(d, dir)
		return
	}
	d.Causes = []string{"the directory " + diag.Quote(l.ws.Root) + " has a .git, so it is a workspace with one project, itself"}
	if d.Hint != "" {
		return
	}
	around, within := outer(l.host, l.ws.Root), l.projectWithin()
	switch {
	case around != "":
		d.Hint = fmt.Sprintf("there is a workspace around it: %s; to work there: haz -C %s ...", diag.Quote(around), diag.Escape(around))
	case within != "":
		d.Hint = fmt.Sprintf("%s has a haz.yml; to make it a project of a workspace here, write `projects: [%s]` into %s", diag.Quote(within), diag.Escape(within), workspaceFile)
	default:
		d.Hint = "write one, with `name: " + nameFor(l.ws.Root) + "` and `tasks: {default: {shell: echo hello}}`; or, for several projects, each in a folder of its own: haz init"
	}
}

// projectWithin is the directory with a haz.yml that haz was started in, or the nearest above it below the root; "" for none.
func (l *loader) projectWithin() string {
	at, err := l.host.RealPath(path.Clean("/" + l.start))
	for err == nil && len(at) > len(l.ws.Root) {
		if hasProject(l.host, at) {
			return "/" + strings.TrimPrefix(strings.TrimPrefix(at, l.ws.Root), "/")
		}
		at = path.Dir(at)
	}
	return ""
}

// selectedBy names the entry that selected a directory.
func (l *loader) selectedBy(d *diag.Diagnostic, dir directory) {
	if dir.entry < 0 {
		return
	}
	d.Related = append(d.Related, diag.Related{Place: l.place(dir.entry),
		Label: "the directory " + diag.Quote(dir.path) + " is selected here"})
}
