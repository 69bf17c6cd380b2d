// Package load finds, reads, merges and checks a workspace (chapter 1): from a folder to the values of package workspace, or to all
// that is wrong with its files.
package load

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// Options of Workspace.
type Options struct {
	// Only settings and root are needed (cache commands): projects and overlays are not read.
	SettingsOnly bool
	// Stranger is asked who owns what marks the root; nil: everybody is trusted (DISC-023).
	Stranger Stranger
	// NotCheckedOut lists what a sparse checkout leaves out below the root of the workspace, with Dir, Text and Add; nil: nothing is
	// left out. It is called at most once, and only when entries could mean such a project. host is the file system to look at.
	NotCheckedOut func(host fsys.FS, root string) []workspace.Absent
	// Declared is what the workspace is, instead of files; dir is its root then. Overlays and whatever files say what the workspace is
	// are not looked at.
	Declared *Declared
	// ForgiveManifests makes what is wrong with manifests of other tools a note: what the others say is loaded.
	ForgiveManifests bool
	// Everywhere looks in each folder of the workspace for a haz.yml that no entry lists, and not only where one is likely.
	Everywhere bool
	// Watch is what takes note of all that is looked at once the root is found; nil: nobody does. What it gives stands in the place of the
	// file systems of the machine and of the workspace.
	Watch func(host, root fsys.FS) (watchedHost, watchedRoot fsys.FS)
}

// Declared is a workspace without files of its own.
type Declared struct {
	Settings config.File // as .haz/workspace.yml; each entry of its list of projects is a literal
	// Projects are as the haz.yml of each of them, by what diagnostics call its entry in that list: one that is wrong is no entry.
	Projects map[string]config.File
}

// Workspace finds, reads, merges and checks everything but the graph: phases 1 to 6 of chapter 1, section 11.1. host is the file
// system of the machine, dir an absolute path in it; the file system that it returns is rooted at the workspace, and the
// caller closes it.
//
// The error is *diag.Errors with all errors of all files, or that of the context. With errors the workspace is what could be
// read and is sound enough for the graph to look for more errors, or nil; the file system is then nil. Nothing is written.
func Workspace(ctx context.Context, host fsys.FS, dir string, o Options) (ws *workspace.Workspace, fs fsys.FS, err error) {
	f, err := Open(host, dir, o)
	if err != nil {
		return nil, nil, err
	}
	ws, err = f.Read(ctx, o)
	if err != nil {
		_ = f.FS.Close() // nothing was written through it
		return ws, nil, err
	}
	return ws, f.FS, nil
}

// Found is a workspace whose root was found, and of which nothing was read.
type Found struct {
	Root string
	Mode workspace.Mode
	FS   fsys.FS // rooted there; whoever has Found closes it

	host  fsys.FS
	start string
}

// Open finds the root of a workspace, and looks who owns it: the first phase of Workspace.
func Open(host fsys.FS, dir string, o Options) (*Found, error) {
	root, mode, err := o.find(host, dir)
	if err != nil {
		return nil, err
	}
	if d := checkOwners(host, root, mode, o.Stranger); d != nil {
		return nil, one(*d)
	}
	fs, err := host.Sub(root)
	if err != nil {
		return nil, one(diag.Diagnostic{Code: "DISC-001", Place: diag.Place{File: root},
			Message: "the root of the workspace cannot be opened", Causes: []string{fsys.Cause(err).Error()}})
	}
	return &Found{Root: root, Mode: mode, FS: fs, host: host, start: dir}, nil
}

// Read is all other phases of Workspace, whose results it has, but for the file system.
func (f *Found) Read(ctx context.Context, o Options) (*workspace.Workspace, error) {
	host, fs := f.host, f.FS
	if o.Watch != nil {
		host, fs = o.Watch(host, fs)
	}
	l := &loader{ctx: ctx, o: o, host: host, start: f.start, fs: fs, tree: tree.New(fs), ws: &workspace.Workspace{Root: f.Root, Mode: f.Mode}}
	l.load(o)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sorted := l.diags.Sorted()
	errs := slices.DeleteFunc(slices.Clone(sorted), func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
	l.ws.Warnings = slices.DeleteFunc(sorted, func(d diag.Diagnostic) bool { return d.Severity == diag.Error })
	if err := errs.Err(); err != nil {
		if l.noGraph {
			return nil, err
		}
		return l.ws, err
	}
	return l.ws, nil
}

// loader holds what the phases hand to each other.
type loader struct {
	ctx   context.Context
	o     Options
	host  fsys.FS
	start string // where haz was started, on the host
	fs    fsys.FS
	tree  *tree.Tree
	ws    *workspace.Workspace

	inferred  inferred
	settings  *config.Workspace // nil in implicit mode
	base      *merged           // what it says of tasks that do not say it; nil for nothing
	files     map[string]bool   // the haz.yml of all projects, workspace-absolute
	sets      map[string]*set   // named sets of the workspace
	dirs      []string          // of all projects, sorted
	overlays  []*overlay
	completed map[madeOf]*merged
	standIns  map[string]*config.Body // by name
	diags     diag.List
	noGraph   bool // what loaded is too little to resolve references on

	askedAbsent bool
	absent      []workspace.Absent       // what is not checked out
	ends        func() []pattern.Pattern // of the root's patterns, see endsOfRoot
	leftOut     map[string]bool          // directories of those of them that are listed
}

func (l *loader) load(o Options) {
	l.ws.Settings = defaults()
	if l.ws.Mode == workspace.Explicit {
		l.readSettings()
	}
	if o.SettingsOnly || l.ctx.Err() != nil {
		return
	}
	l.infer()
	dirs := l.found(l.directories())
	l.noteAbsent()
	l.files = make(map[string]bool, len(dirs))
	for _, d := range dirs {
		l.dirs = append(l.dirs, d.path)
		if o.Declared == nil {
			l.files[path.Join(d.path, layout.ProjectFile)] = true
		}
	}
	slices.Sort(l.dirs)
	l.ends = sync.OnceValue(l.endsOfRoot)
	projects := l.readProjects(dirs)
	var overlays []*overlay
	if o.Declared != nil {
		// There is nothing else.
	} else if l.ws.Mode == workspace.Explicit {
		overlays = l.readOverlays()
		l.noteUnlisted()
	} else {
		l.noteOuter()
	}
	if l.ctx.Err() != nil {
		return
	}
	l.unique(projects)
	l.alias(projects)
	l.manifestNames(projects)
	l.edges(projects)
	l.uses(projects)
	l.overlays = overlays
	l.attach(overlays)
	l.merge(projects, overlays)
	l.checkSets(projects)
	l.withoutProducts()
	l.number()
	l.finalizers()
	l.respell(projects, overlays)
	l.unusedCaps()
	l.uncached()
}

func (l *loader) add(d diag.Diagnostic) { l.diags = append(l.diags, d) }

func defaults() workspace.Settings {
	return workspace.Settings{Hash: "blake3", OutputMode: "live", UI: "never", CancelGrace: 5 * time.Second, Umask: 0o022, TagCaps: map[string]int{}}
}

// readSettings is phase 2.
func (l *loader) readSettings() {
	f := config.File{Name: workspaceFile, Rule: "DISC-004"}
	if l.o.Declared != nil {
		f = l.o.Declared.Settings
	} else if text, d := l.readFile(workspaceFile, f.Rule); d == nil {
		f.Text = text
	} else {
		if d.Message == missing {
			if exists(l.fs, layout.Dir+"/workspace.yaml") {
				d.Hint = `.haz/workspace.yaml exists: rename it to workspace.yml`
			} else {
				d.Hint = "a directory .haz marks the root of a workspace; to make it one: haz init"
			}
		}
		l.add(*d)
		l.ws.Partial.Projects = true
		l.noGraph = true
		return
	}
	w, diags := config.ReadWorkspace(f)
	l.diags = append(l.diags, diags...)
	l.settings = w
	l.sets = setsOf(w.Files, w.Source)
	if !w.ProjectsKnown {
		l.ws.Partial.Projects = true
	}
	for _, e := range w.Projects.Items {
		l.ws.Entries = append(l.ws.Entries, e.Glob)
	}
	s := &l.ws.Settings
	s.Hash = cmp.Or(w.Cache.Hash.Value, s.Hash)
	if at := w.Cache.Location; at.Set {
		s.Location, s.LocationAt = at.Value, w.Source.Place(at.Span)
	}
	s.OutputMode = cmp.Or(w.Output.Mode.Value, s.OutputMode)
	s.UI = cmp.Or(w.Output.UI.Value, s.UI)
	s.Concurrency = w.Concurrency.Max
	if age := w.Cache.Clean.MaxAge; age.Set {
		s.MaxAge = &age.Duration
	}
	if size := w.Cache.Clean.MaxSize; size.Set {
		s.MaxSize, s.MaxSizeText = &size.Bytes, size.Value
	}
	if grace := w.Execution.CancelGrace; grace.Set {
		s.CancelGrace = grace.Duration
	}
	if at := w.Execution.Umask; at.Set {
		s.Umask, _ = config.ParseUmask(at.Value)
	}
	if d := newDefaults(w.Source, w.Defaults, w.Env.Strict); d != nil {
		l.base = l.base.with(d)
		b := builder{ctx: l.ctx}
		b.defaults(l.base, &workspace.Project{Dir: nowhere})
		l.diags = append(l.diags, b.diags...)
	}
	for _, c := range w.Concurrency.Tags {
		s.TagCaps[c.Tag.Value] = c.Max
	}
}

// note is a warning that not only `check` gives.
func (l *loader) note(d diag.Diagnostic) {
	d.Severity = diag.Warning
	l.add(d)
	l.ws.Notes = append(l.ws.Notes, d)
}

// noteOuter warns when an implicit workspace is also a project of an explicit one around it: commands in its directory see
// one project, those outside see all.
func (l *loader) noteOuter() {
	around := outer(l.host, l.ws.Root)
	if around == "" {
		return
	}
	name := path.Join(around, workspaceFile)
	text, _, err := l.host.ReadFile(name, config.FileMax)
	if err != nil {
		return // it is another workspace's trouble
	}
	w, _ := config.ReadWorkspace(config.File{Name: name, Text: text, Rule: "DISC-004"})
	dir := "/" + strings.TrimPrefix(strings.TrimPrefix(l.ws.Root, around), "/")
	for _, e := range w.Projects.Items {
		if e.Glob.Names(dir) || e.Glob.IsLiteral() && e.Value == dir {
			l.add(diag.Diagnostic{Severity: diag.Warning, Code: "DISC-003",
				Message: fmt.Sprintf("%s has a .git and so is a workspace of its own here; the workspace %s around it lists it as a project",
					diag.Quote(l.ws.Root), diag.Quote(around)),
				Hint: "to work in the one around it: haz -C " + diag.Escape(around) + " ..."})
			return
		}
	}
}

// unique holds projects to one name each (DISC-010, haz::cfg::012) and puts them in canonical order.
func (l *loader) unique(projects []*project) {
	byName := make(map[string]*project, len(projects))
	for _, p := range projects {
		if p.Project == nil {
			l.ws.Partial.Projects = true
			continue
		}
		if first := byName[p.Name]; first != nil {
			l.add(diag.Diagnostic{Code: "DISC-010", Place: p.namePlace,
				Message: fmt.Sprintf("two projects are named %s: %s and %s", diag.Quote(p.Name), diag.Escape(first.namePlace.File), diag.Escape(p.namePlace.File)),
				Related: []diag.Related{{Place: first.namePlace, Label: "first occurrence here"}}, Hint: l.otherName(p)})
			// The second one has no identity; references to the first could mean it.
			l.ws.Partial.Projects = true
			l.incomplete(first.Project)
			p.Project = nil
			continue
		}
		byName[p.Name] = p
		l.ws.Projects = append(l.ws.Projects, p.Project)
		if !p.tagsKnown {
			l.ws.Partial.Tags = true
		}
		if !p.tasksKnown {
			l.incomplete(p.Project)
		}
	}
	slices.SortFunc(l.ws.Projects, func(a, b *workspace.Project) int { return strings.Compare(a.Name, b.Name) })
}

func (l *loader) incomplete(p *workspace.Project) {
	if l.ws.Partial.Tasks == nil {
		l.ws.Partial.Tasks = map[*workspace.Project]bool{}
	}
	l.ws.Partial.Tasks[p] = true
}

// number puts the tasks in canonical order.
func (l *loader) number() {
	n := 0
	for _, p := range l.ws.Projects {
		slices.SortFunc(p.Tasks, func(a, b *workspace.Task) int { return strings.Compare(a.ID.Task, b.ID.Task) })
		n += len(p.Tasks)
	}
	l.ws.Tasks = make([]*workspace.Task, 0, n)
	for _, p := range l.ws.Projects {
		for _, t := range p.Tasks {
			t.Index = len(l.ws.Tasks)
			l.ws.Tasks = append(l.ws.Tasks, t)
		}
	}
}

// finalizers marks the tasks that an `after` names: what is to run each time is never cached (EXEC-049). References that select nothing are
// the graph's to tell.
func (l *loader) finalizers() {
	if l.noGraph {
		return
	}
	for _, t := range l.ws.Tasks {
		for _, ref := range t.After {
			named, err := l.ws.Resolve(ref.Ref, t.Project)
			if err != nil {
				continue
			}
			for _, f := range named {
				if f != t {
					f.Finalizer, f.Cache = true, false
				}
			}
		}
	}
}

// unusedCaps warns about caps for tags that no project carries.
func (l *loader) unusedCaps() {
	if l.settings == nil || l.ws.Partial.Projects || l.ws.Partial.Tags || len(l.ws.Absent) > 0 {
		return
	}
	byTag := projectsByTag(l.ws)
	for _, c := range l.settings.Concurrency.Tags {
		if len(byTag[c.Tag.Value]) > 0 {
			continue
		}
		hint := ""
		if near := diag.Nearest(c.Tag.Value, tagNames(byTag)); near != "" {
			hint = diag.DidYouMean(near)
		}
		l.add(diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::029", Place: l.settings.Source.Place(c.Tag.Span),
			Message: "this cap is without effect: no project has the tag " + diag.Quote(c.Tag.Value), Hint: hint})
	}
}

// inside is the name of a workspace-absolute path below the root, as diagnostics show it.
func inside(p string) string { return strings.TrimPrefix(path.Clean(p), "/") }
