package workspace

import (
	"maps"
	"slices"
	"time"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/packed"
	"github.com/haz-build/haz/pattern"
)

// Pack codes a workspace that loaded whole, without its graph. What has no packed form fails the Coder: a workspace of which a part is
// missing, and functions of Sources.
//
// Everything that the model has is here, unexported tables aside that are made on first use; a test fills each field.
func (w *Workspace) Pack(c *packed.Coder) {
	k := &packing{c: c, w: w}
	c.String(&w.Root)
	packed.Uint(c, &w.Mode)
	k.settings(&w.Settings)
	k.entries.Code(c, &w.Entries, 1, k.pattern)
	k.allProjects()
	k.aliases.Code(c, &w.Aliases, 2, func(a *Alias) {
		c.String(&a.Name)
		k.projectAt(&a.Project)
	})
	k.overlays.Code(c, &w.Overlays, 1, func(o **Overlay) { k.overlay.Code(c, o, k.overlayOf) })
	k.list(&w.Warnings)
	k.list(&w.Notes)
	k.absent.Code(c, &w.Absent, 8, k.absentOf)
	k.inferred.Code(c, &w.Inferred, k.inferredOf)
	if w.Partial.Projects || w.Partial.Tags || w.Partial.Tasks != nil {
		c.Fail()
	}
}

// packing codes one workspace. It knows what was shared.
type packing struct {
	c *packed.Coder
	w *Workspace
	n map[*Project]int // positions in Projects

	patterns pattern.Packing
	texts    packed.Strings

	ages     packed.Pointers[int64]
	plain    packed.Pointers[Task]
	items    packed.Pointers[Item]
	locks    packed.Pointers[Lock]
	mutexes  packed.Pointers[Mutex]
	envNames packed.Pointers[EnvNames]
	retryOn  packed.Pointers[RetryOn]
	services packed.Pointers[Service]
	graces   packed.Pointers[time.Duration]
	origin   packed.Pointers[Origin]
	overlay  packed.Pointers[Overlay]
	inferred packed.Pointers[Inferred]

	entries  packed.Slices[pattern.Pattern]
	aliases  packed.Slices[Alias]
	overlays packed.Slices[*Overlay]
	attached packed.Slices[*Project]
	absent   packed.Slices[Absent]
	sources  packed.Slices[Sources]
	uses     packed.Slices[Use]
	origins  packed.Slices[*Origin]
	decls    packed.Slices[PatternDecl]
	refs     packed.Slices[RefDecl]
	tools    packed.Slices[ToolDecl]
	envFiles packed.Slices[EnvFile]
	codes    packed.Slices[int]
	members  packed.Slices[LockMember]
	needs    packed.Slices[LockNeed]
	said     packed.Slices[diag.Diagnostic]
	related  packed.Slices[diag.Related]
}

func (k *packing) pattern(p *pattern.Pattern) { k.patterns.Code(k.c, p) }

func (k *packing) settings(s *Settings) {
	c := k.c
	c.String(&s.Hash)
	c.String(&s.Location)
	k.place(&s.LocationAt)
	age := (*int64)(s.MaxAge)
	k.ages.Code(c, &age, func(n *int64) { packed.Int(c, n) })
	s.MaxAge = duration(age)
	k.ages.Code(c, &s.MaxSize, func(n *int64) { packed.Int(c, n) })
	c.String(&s.MaxSizeText)
	packed.Int(c, &s.Concurrency)
	k.numbers(&s.TagCaps)
	c.String(&s.OutputMode)
	c.String(&s.UI)
	packed.Int(c, &s.CancelGrace)
	packed.Uint(c, &s.Umask)
}

// allProjects are the projects and the tasks, which follow one another in both lists.
func (k *packing) allProjects() {
	c, w := k.c, k.w
	projects, tasks := len(w.Projects), len(w.Tasks)
	c.Count(&projects, 8)
	c.Count(&tasks, 40)
	var memory []Task
	if c.Reading() {
		w.Projects, w.Tasks = make([]*Project, projects), make([]*Task, tasks)
		all := make([]Project, projects)
		for i := range all {
			w.Projects[i] = &all[i]
		}
		memory = make([]Task, tasks)
		for i := range memory {
			w.Tasks[i] = &memory[i]
			memory[i].Index = i
		}
	} else {
		k.n = make(map[*Project]int, projects)
		for i, p := range w.Projects {
			k.n[p] = i
		}
	}
	rest := w.Tasks
	for _, p := range w.Projects {
		rest = k.project(p, rest)
	}
	if len(rest) > 0 {
		c.Fail()
	}
}

// project codes a project whose tasks are the first of a list, and returns the others.
func (k *packing) project(p *Project, tasks []*Task) (rest []*Task) {
	c := k.c
	c.String(&p.Name)
	k.texts.Code(c, &p.Aliases)
	c.String(&p.Dir)
	c.String(&p.File)
	k.texts.Code(c, &p.Tags)
	k.uses.Code(c, &p.Uses, 9, func(u *Use) {
		c.String(&u.Name)
		k.place(&u.Place)
	})
	n := -1 // of nil
	if p.Tasks != nil {
		n = len(p.Tasks)
	}
	packed.Int(c, &n)
	if n > len(tasks) || n < -1 {
		c.Fail()
		return nil
	}
	own := tasks[:max(n, 0):max(n, 0)]
	if c.Reading() && n >= 0 {
		p.Tasks = own
	}
	for i, t := range own {
		if c.Reading() {
			t.Project = p
		} else if p.Tasks[i] != t || t.Project != p || t.Index != len(k.w.Tasks)-len(tasks)+i {
			c.Fail()
		}
		k.task(t)
	}
	k.plain.Code(c, &p.Defaults, func(t *Task) {
		if c.Reading() {
			t.Project = p
		} else if t.Project != p || t.Index != 0 {
			c.Fail()
		}
		k.task(t)
	})
	return tasks[max(n, 0):]
}

// projectAt is a pointer to one of the projects.
func (k *packing) projectAt(p **Project) {
	n := 0
	if !k.c.Reading() {
		at, known := k.n[*p]
		if n = at; !known {
			k.c.Fail()
		}
	}
	packed.Int(k.c, &n)
	if n < 0 || n >= len(k.w.Projects) {
		k.c.Fail()
		return
	}
	if k.c.Reading() { // what is written is read by others meanwhile
		*p = k.w.Projects[n]
	}
}

func (k *packing) overlayOf(o *Overlay) {
	k.c.String(&o.Name)
	k.c.String(&o.File)
	k.texts.Code(k.c, &o.TagsFilter)
	k.attached.Code(k.c, &o.Attached, 1, k.projectAt)
}

func (k *packing) absentOf(a *Absent) {
	c := k.c
	c.String(&a.Dir)
	c.String(&a.Text)
	c.String(&a.Add)
	c.String(&a.Name)
	k.texts.Code(c, &a.Aliases)
	k.texts.Code(c, &a.Tags)
	k.texts.Code(c, &a.Uses)
	k.set(&a.Tasks)
}

func (k *packing) inferredOf(i *Inferred) {
	c := k.c
	k.texts.Code(c, &i.Readers)
	c.Bool(&i.Scripts)
	k.entries.Code(c, &i.Looked, 1, k.pattern)
	k.set(&i.Manifests)
	k.sources.Code(c, &i.Sources, 3, func(s *Sources) {
		k.entries.Code(c, &s.Patterns, 1, k.pattern)
		c.Bool(&s.Folders)
		c.String(&s.Same)
		if s.LeftOut != nil || s.Part != nil {
			c.Fail()
		}
	})
}

func (k *packing) place(p *diag.Place) {
	c := k.c
	c.String(&p.File)
	packed.Int(c, &p.Line)
	packed.Int(c, &p.Column)
	packed.Int(c, &p.EndLine)
	packed.Int(c, &p.EndColumn)
	c.String(&p.Source)
}

func (k *packing) list(l *diag.List) {
	c := k.c
	list := []diag.Diagnostic(*l)
	k.said.Code(c, &list, 10, func(d *diag.Diagnostic) {
		packed.Uint(c, &d.Severity)
		c.String(&d.Code)
		k.place(&d.Place)
		c.String(&d.KeyPath)
		c.String(&d.Message)
		c.String(&d.Hint)
		k.related.Code(c, &d.Related, 7, func(r *diag.Related) {
			k.place(&r.Place)
			c.String(&r.Label)
		})
		k.texts.Code(c, &d.Causes)
		c.String(&d.Command)
		c.String(&d.Project)
	})
	if c.Reading() {
		*l = list
	}
}

// set is a map whose values are all true.
func (k *packing) set(m *map[string]bool) {
	codeMap(k.c, m, func(v *bool) {
		if *v = *v || k.c.Reading(); !*v {
			k.c.Fail()
		}
	})
}

func (k *packing) numbers(m *map[string]int) {
	codeMap(k.c, m, func(v *int) { packed.Int(k.c, v) })
}

// codeMap codes a map, nil or not.
func codeMap[V any](c *packed.Coder, m *map[string]V, each func(*V)) {
	n := len(*m) + 1
	if *m == nil {
		n = 0
	}
	if c.Count(&n, 1); n == 0 {
		return
	}
	if !c.Reading() {
		for _, name := range slices.Sorted(maps.Keys(*m)) {
			v := (*m)[name]
			c.String(&name)
			each(&v)
		}
		return
	}
	*m = make(map[string]V, n-1)
	for range n - 1 {
		var name string
		var v V
		c.String(&name)
		each(&v)
		(*m)[name] = v
	}
}
