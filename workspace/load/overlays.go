package load

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// overlay is an overlay while it loads.
type overlay struct {
	*workspace.Overlay
	file    *config.Overlay
	known   bool // all of it could be read
	builder builder
	set     []bool // by index of a project: attached
	diags   diag.List
}

// readOverlays is the first half of phase 5: it reads the overlays, by name.
func (l *loader) readOverlays() []*overlay {
	names := l.overlayNames()
	overlays := make([]*overlay, len(names))
	l.parallel(len(names), func(i int) { overlays[i] = l.readOverlay(names[i]) })
	overlays = slices.DeleteFunc(overlays, func(o *overlay) bool { return o == nil })
	for _, o := range overlays {
		l.diags = append(l.diags, o.diags...)
		if !o.known {
			// Which bodies win is not known, so nothing that depends on it is said.
			l.noGraph = true
		}
	}
	return overlays
}

// overlayNames lists the files that count (haz::cfg::023), sorted, and warns about others that look as if they should.
func (l *loader) overlayNames() []string {
	entries, err := l.fs.List(layout.TasksDir)
	if err != nil {
		d := diag.Diagnostic{Code: "haz::cfg::023", Place: diag.Place{File: overlayDir}}
		switch info, statErr := l.fs.StatInfo(layout.TasksDir); {
		case errors.Is(err, fs.ErrNotExist) && !exists(l.fs, layout.TasksDir):
			return nil
		case statErr == nil && info.Kind != fsys.Dir:
			d.Message = "this is " + kindOf(l.fs, layout.TasksDir) + ", not a directory"
		case errors.Is(err, fs.ErrNotExist):
			text, _ := l.fs.Readlink(layout.TasksDir)
			d.Message = "this is a link to nothing: " + diag.Quote(text)
		default:
			d.Message, d.Causes = "the directory of overlays cannot be read", []string{fsys.Cause(err).Error()}
		}
		l.add(d)
		l.noGraph = true
		return nil
	}
	slices.SortFunc(entries, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
	var names []string
	for _, e := range entries {
		if e.Kind == fsys.Unknown {
			if info, err := l.fs.Lstat(layout.TasksDir + "/" + e.Name); err == nil {
				e.Kind = info.Kind
			}
		}
		name, isYML := strings.CutSuffix(e.Name, ".yml")
		if isYML && e.Kind == fsys.File && workspace.CheckName(name) == nil {
			names = append(names, name)
			continue
		}
		l.ignored(e)
	}
	return names
}

// ignored warns about an entry of .haz/tasks that looks like an overlay and is none.
func (l *loader) ignored(e fsys.Entry) {
	lower := strings.ToLower(e.Name)
	stem := strings.TrimSuffix(strings.TrimSuffix(lower, ".yml"), ".yaml")
	if stem == lower {
		return
	}
	name, isYML := strings.CutSuffix(e.Name, ".yml")
	why, hint := "", ""
	switch {
	case !isYML:
		why, hint = "an overlay's name ends in .yml", "rename it to "+diag.Escape(e.Name[:len(stem)])+".yml"
	case e.Kind == fsys.Link:
		why = "an overlay cannot be a link"
	case e.Kind != fsys.File:
		why = "an overlay is a regular file"
	default:
		why = fmt.Sprintf("%s is no name: %v", diag.Quote(name), workspace.CheckName(name))
	}
	l.add(diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::023", Place: diag.Place{File: overlayDir + "/" + e.Name},
		Message: "this is ignored: " + why, Hint: hint})
}

func (l *loader) readOverlay(name string) *overlay {
	file := overlayDir + "/" + name + ".yml"
	o := &overlay{Overlay: &workspace.Overlay{Name: name, File: file}}
	text, d := l.readFile(file, "haz::cfg::023")
	if d != nil {
		o.diags = append(o.diags, *d)
		return o
	}
	o.file, o.diags = config.ReadOverlay(config.File{Name: file, Text: text, Rule: "haz::cfg::023"})
	o.builder = builder{ctx: l.ctx, src: o.file.Source, files: l.files, nested: l.nested, locks: l.inferred.locks, ends: l.ends}
	o.known = o.file.FilterKnown && o.file.TasksKnown
	for _, t := range o.file.TagsFilter.Items {
		o.TagsFilter = append(o.TagsFilter, t.Value)
	}
	return o
}

// attach is the second half of phase 5: an overlay goes to every project that carries all of its tags (haz::cfg::026, DAG-001).
func (l *loader) attach(overlays []*overlay) {
	for _, o := range overlays {
		l.ws.Overlays = append(l.ws.Overlays, o.Overlay)
		o.set = make([]bool, len(l.ws.Projects))
		if o.file == nil || !o.file.FilterKnown {
			continue
		}
		for i, p := range l.ws.Projects {
			if !slices.ContainsFunc(o.TagsFilter, func(tag string) bool { return !p.HasTag(tag) }) {
				o.Attached = append(o.Attached, p)
				o.set[i] = true
			}
		}
		l.attachAbsent(o)
		if len(o.Attached) == 0 {
			l.attachesNowhere(o)
		}
	}
}

// attachesNowhere warns, and checks the form of the bodies, which no project will do.
func (l *loader) attachesNowhere(o *overlay) {
	for _, t := range o.file.Tasks {
		o.builder.tasks(&workspace.Project{Dir: nowhere}, t, l.base, o.Name)
	}
	if l.ws.Partial.Projects || l.ws.Partial.Tags || len(l.ws.Absent) > 0 {
		return
	}
	d := diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::026", Place: diag.Place{File: o.File},
		Message: "this overlay attaches to no project: the workspace has none"}
	if len(o.TagsFilter) > 0 {
		d.Place = o.file.Source.Place(o.file.TagsFilter.Span)
		d.Message = "this overlay attaches to no project: none carries all of these tags"
		byTag := projectsByTag(l.ws)
		for _, tag := range o.TagsFilter {
			if len(byTag[tag]) == 0 {
				d.Message = "this overlay attaches to no project: none has the tag " + diag.Quote(tag)
				if near := diag.Nearest(tag, tagNames(byTag)); near != "" {
					d.Hint = diag.DidYouMean(near)
				}
				break
			}
		}
	}
	l.add(d)
}

// projectsByTag finds projects by tag. The index of the workspace needs the tasks, which are not merged yet.
func projectsByTag(w *workspace.Workspace) map[string][]*workspace.Project {
	byTag := map[string][]*workspace.Project{}
	for _, p := range w.Projects {
		for _, tag := range p.Tags {
			byTag[tag] = append(byTag[tag], p)
		}
	}
	return byTag
}

func tagNames(byTag map[string][]*workspace.Project) []string { return slices.Sorted(maps.Keys(byTag)) }

// source is a body that competes for a task (DAG-002).
type source struct {
	overlay *overlay // nil: it is no overlay's
	task    config.Task
	src     *config.Source
	script  bool // it is that of a package
	standIn bool // it is in the place of one (haz::cfg::126)
}

// name is that of the overlay; "" where there is none.
func (s *source) name() string {
	if s.overlay == nil {
		return ""
	}
	return s.overlay.Name
}

// merge is phase 6: for each project and task name, one body wins (DAG-002 … DAG-006), and says whether others complete it.
func (l *loader) merge(projects []*project, overlays []*overlay) {
	own, seen := make(map[*workspace.Project]*project, len(projects)), make(map[*workspace.Project]*sets, len(projects))
	for _, p := range projects {
		if p.Project != nil {
			own[p.Project], seen[p.Project] = p, p.sets
		}
	}
	for _, o := range overlays {
		o.builder.seen = seen
	}
	c := comparer{}
	for i, p := range l.ws.Projects {
		l.mergeProject(c, i, own[p], overlays)
	}
	for _, p := range projects {
		if p.builder != nil {
			l.nameless(p)
			l.diags, p.bad = append(l.diags, p.builder.diags...), p.builder.bad
		}
	}
	// Bodies that lose everywhere are checked for form like the others.
	for _, o := range overlays {
		if o.file != nil && len(o.Attached) > 0 {
			for _, t := range o.file.Tasks {
				if !o.builder.known[t.Body] {
					o.builder.tasks(&workspace.Project{Dir: nowhere}, t, l.base, o.Name)
				}
			}
		}
		l.diags = append(l.diags, o.builder.diags...)
	}
}

// mergeProject gives a project its tasks.
func (l *loader) mergeProject(c comparer, at int, own *project, overlays []*overlay) {
	p := own.Project
	mine := make(map[string]bool, len(own.own))
	p.Tasks = own.own
	for _, t := range p.Tasks {
		mine[t.ID.Family()] = true
	}
	sources := map[string][]source{}
	var names []string
	for _, o := range overlays {
		if !o.set[at] {
			continue
		}
		for _, t := range o.file.Tasks {
			n := t.Name.Value
			if mine[n] {
				continue // DAG-005: P's own, whatever the overlays do
			}
			if sources[n] == nil {
				names = append(names, n)
			}
			sources[n] = append(sources[n], source{overlay: o, task: t, src: o.file.Source})
		}
	}
	for _, t := range own.waiting {
		n := t.Name.Value
		mine[n] = true
		if chain, ok := l.chain(c, own, n, sources[n], source{task: t, src: own.builder.src}); ok {
			p.Tasks = append(p.Tasks, own.builder.tasks(p, t, l.complete(own.base, chain), "")...)
		}
	}
	for _, n := range names {
		if mine[n] {
			continue
		}
		s := sources[n]
		w := c.winner(s)
		if w < 0 {
			l.collision(p, n, s, fmt.Sprintf("give project %s a task %s of its own, which always wins, or add a tag to the tagsFilter of the one that should", diag.Quote(p.Name), diag.Quote(n)))
			continue
		}
		winner := s[w]
		chain, ok := l.chain(c, own, n, append(s[:w:w], s[w+1:]...), winner)
		if ok && !l.completesNothing(winner, chain) {
			p.Tasks = append(p.Tasks, winner.overlay.builder.tasks(p, winner.task, l.complete(own.base, chain), winner.overlay.Name)...)
		}
	}
	l.onlyScripts(own, func(name string) bool { return mine[name] || sources[name] != nil })
}

// nameless checks the form of the tasks of a project that is none, since it has no name.
func (l *loader) nameless(p *project) {
	for _, t := range p.waiting {
		if !p.builder.known[t.Body] {
			p.builder.tasks(&workspace.Project{Dir: nowhere}, t, l.base, "")
		}
	}
}

// attaches reports whether the overlay attaches to a project.
func (o *overlay) attaches(l *loader, p *workspace.Project) bool {
	i := slices.Index(l.ws.Projects, p)
	return i >= 0 && o.set[i]
}

// comparer compares overlays by what they attach to, each pair once.
type comparer map[[2]*overlay]bool

// winner returns the index of the source that is more specific than every other (DAG-003, DAG-005), or -1. A source that is
// alone wins (DAG-004).
func (c comparer) winner(s []source) int {
	best := 0
	for i := range s {
		if c.beats(s[i].overlay, s[best].overlay) {
			best = i
		}
	}
	for i := range s {
		if i != best && !c.beats(s[best].overlay, s[i].overlay) {
			return -1
		}
	}
	return best
}

// beats reports whether a is more specific than b: its set of projects is a strict subset, or the sets are equal and its
// filter strictly contains that of b.
func (c comparer) beats(a, b *overlay) bool {
	if a == b {
		return false
	}
	key := [2]*overlay{a, b}
	known, ok := c[key]
	if !ok {
		switch {
		case len(a.Attached) < len(b.Attached):
			known = subset(a.set, b.set)
		case len(a.Attached) == len(b.Attached):
			known = slices.Equal(a.set, b.set) && len(a.TagsFilter) > len(b.TagsFilter) &&
				!slices.ContainsFunc(b.TagsFilter, func(tag string) bool { return !slices.Contains(a.TagsFilter, tag) })
		}
		c[key] = known
	}
	return known
}

func subset(a, b []bool) bool {
	for i := range a {
		if a[i] && !b[i] {
			return false
		}
	}
	return true
}

// collision reports overlays without a winner (DAG-006).
func (l *loader) collision(p *workspace.Project, task string, s []source, hint string) {
	l.noGraph = true
	if l.ws.Partial.Projects || l.ws.Partial.Tags {
		return // which projects an overlay attaches to is not known; the winner may show once the files are right
	}
	names := make([]string, len(s))
	for i, src := range s {
		names[i] = diag.Escape(src.overlay.File)
	}
	d := diag.Diagnostic{Code: "DAG-006", Place: s[0].overlay.file.Source.Place(s[0].task.Name.Span), Project: p.Name,
		Message: fmt.Sprintf("task %s of project %s comes from %s, and none of them is for fewer projects than all others",
			diag.Quote(task), diag.Quote(p.Name), strings.Join(names, " and ")),
		Hint: hint}
	for _, src := range s[1:] {
		d.Related = append(d.Related, diag.Related{Place: src.overlay.file.Source.Place(src.task.Name.Span), Label: "and from here"})
	}
	l.add(d)
}
