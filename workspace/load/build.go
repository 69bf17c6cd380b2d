package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// builder makes tasks of the bodies of one file. It is used by one goroutine.
type builder struct {
	ctx    context.Context // nil: nothing ends the checks early
	src    *config.Source
	script bool            // it is the manifest of a package
	files  map[string]bool // the haz.yml of all projects, workspace-absolute
	diags  diag.List
	made   map[madeOf]*made
	known  map[*config.Body]bool // a task was made of them
	bad    []badReference

	nested func(dir string) []string // the folders of projects below one
	locks  locks
	ends   func() []pattern.Pattern     // where the root's own patterns end; none where it is the only project
	seen   map[*workspace.Project]*sets // what each project sees of named sets of files
	sets   *sets                        // those of the project that a task is made for; nil: it stands for none
}

// badReference is a text of deps, weakDeps or after that is no reference, and where that is told.
type badReference struct {
	text  string
	place diag.Place
}

// made is what a body came to: all but its identity is the same for each task that is made of it, and the patterns are for
// each task in one directory.
type made struct {
	*merged
	last     *workspace.Task   // the task that was made of it last
	override map[string]string // of it, without the cell of a matrix
	bare     bool              // barePrograms has looked at it
}

// madeOf is a body with what completes it.
type madeOf struct {
	body *config.Body
	base *merged
}

// task makes the task of a project; overlay is the name of the overlay that the file is, or "". What the body does not say, base does, which
// may be nil. A project without name and directory stands for none: the body is only checked.
func (b *builder) task(p *workspace.Project, c config.Task, base *merged, overlay string) *workspace.Task {
	m := b.made[madeOf{c.Body, base}]
	b.sets = b.seen[p]
	if m == nil {
		m = &made{merged: base.with(&layer{src: b.src, body: c.Body, shared: overlay != "", script: b.script, strict: c.Body.Env.Strict, overlay: overlay})}
		t := b.body(m.merged)
		t.Origins = m.origins()
		m.last, m.override = &t, t.Override
		if b.made == nil {
			b.made, b.known = make(map[madeOf]*made, 4), make(map[*config.Body]bool, 4)
		}
		b.known[c.Body] = true
		b.made[madeOf{c.Body, base}] = m
		b.patterns(m.last, m.merged, p)
		b.warn(m.last, p)
		b.setByMatrix(m.merged, p)
		if c.Body.Inherit.Value && p.Dir != nowhere {
			b.complete(m.merged, c.Name)
		}
	} else {
		t := *m.last
		t.Override = m.override
		if m.last = &t; t.Project.Dir != p.Dir {
			b.patterns(m.last, m.merged, p)
		}
	}
	t := m.last
	t.ID = workspace.TaskID{Project: p.Name, Task: c.Name.Value}
	t.Project = p
	t.Overlay, t.Completed, t.Inherits = overlay, base != nil, base.overlays()
	if !m.bare && !t.HasPath() { // where the environment is strict, which may be said by one project of several
		b.barePrograms(t, m.merged)
		m.bare = true
	}
	t.Place = b.src.Place(c.Name.Span)
	return t
}

// tasks are what task makes, one for each cell of a matrix (haz::cfg::092), which is that of the nearest body that has one. What is wrong is told
// of the first one that has anything wrong.
func (b *builder) tasks(p *workspace.Project, c config.Task, base *merged, overlay string) []*workspace.Task {
	cells := c.Body.Cells
	if base != nil && len(cells) == 0 {
		if l := base.nearest(func(c *config.Body) bool { return len(c.Cells) > 0 }); l != nil {
			cells = l.body.Cells
		}
	}
	if len(cells) == 0 {
		if p.Dir != nowhere { // else it may have one there
			_, bad := c.Body.InCell(nil)
			_, more := base.inCell(nil)
			b.diags = append(append(b.diags, bad...), more...)
		}
		return []*workspace.Task{b.task(p, c, base, overlay)}
	}
	out := make([]*workspace.Task, 0, len(cells))
	before, clean := len(b.diags), true
	bad := b.bad
	for _, cell := range cells {
		name := c.Name
		name.Value += workspace.CellSuffix(cell.Values)
		told := len(b.diags)
		body, mine := c.Body.InCell(cell.Values)
		wider, theirs := base.inCell(cell.Values)
		b.diags = append(append(b.diags, mine...), theirs...)
		t := b.task(p, config.Task{Name: name, Body: body}, wider, overlay)
		if clean {
			bad = b.bad
		} else {
			b.diags = b.diags[:told]
		}
		clean = clean && len(b.diags) == before
		t.Override = maps.Clone(t.Override)
		if t.Override == nil {
			t.Override = make(map[string]string, len(cell.Values))
		}
		for _, v := range cell.Values {
			t.Override[workspace.CellVariable(v.Key)] = v.Value
		}
		out = append(out, t)
	}
	b.known[c.Body] = true
	b.bad = bad
	return out
}

// setByMatrix tells of variables that a body sets and the matrix of another one, too. Within one body that was told when it was read.
func (b *builder) setByMatrix(m *merged, project *workspace.Project) {
	l := m.nearest(func(c *config.Body) bool { return len(c.Matrix) > 0 })
	if l == nil || m.env == nil {
		return
	}
	keys := make(map[string]config.Text, len(l.body.Matrix))
	for _, a := range l.body.Matrix {
		keys[workspace.CellVariable(a.Key.Value)] = a.Key
	}
	for _, p := range m.env.override {
		if p.of == l {
			continue
		}
		shared := "" // it is one mistake, however many projects have it
		if p.of.shared {
			shared = project.Name
		}
		for _, o := range p.items {
			if key, both := keys[o.Key.Value]; both {
				b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::092", Project: shared, Place: p.of.src.Place(o.Key.Span), KeyPath: p.of.body.KeyPath() + ".env.override",
					Message: diag.QuoteShort(o.Key.Value) + " is what the matrix sets, for its key " + diag.QuoteShort(key.Value), Hint: "remove it, or give it another name",
					Related: []diag.Related{{Place: l.src.Place(key.Span), Label: "the key of the matrix is here"}}})
			}
		}
	}
}

// defaults holds what a file says of tasks that do not say it to the rules of tasks, once for all of these.
func (b *builder) defaults(m *merged, p *workspace.Project) {
	if m != nil {
		b.patterns(&workspace.Task{}, m, p)
	}
}

// plain is the task of a project that says nothing itself.
func (b *builder) plain(base *merged, p *workspace.Project) *workspace.Task {
	t := b.body(base)
	b.envFiles(&t, base, &placed{}, p.Dir)
	t.ID, t.Project = workspace.TaskID{Project: p.Name}, p
	return &t
}

// body makes what does not depend on the project.
func (b *builder) body(m *merged) workspace.Task {
	t := workspace.Task{Cache: true, Strict: m.strict(), OwnTools: m.ownTools}
	if t.Internal = m.standIn; !m.standIn {
		for _, l := range slices.Backward(m.layers) { // of what is one value the nearest counts
			single(&t, l.body)
		}
	}
	t.Cache, t.TTY = t.Cache && !t.Interactive && t.Service == nil, t.TTY && !t.Interactive
	if t.Service != nil { // of what defaults say of all tasks, this is not for those that stay
		t.Retry, t.Timeout = workspace.Retry{}, workspace.NoTimeout
	}
	if a := m.action(); a != nil && a.script && t.Cache && m.outputs.len() == 0 && m.nearest(func(c *config.Body) bool { return c.Cache.Set }) == nil {
		t.Cache, t.NoOutputs = false, true // what it makes would be missing after a hit
	}
	b.action(&t, m)
	for _, p := range m.tools {
		for _, tool := range p.items {
			t.Tools = append(t.Tools, workspace.ToolDecl{Name: tool.Name.Value, Probe: texts(tool.Probe)})
		}
	}
	t.Deps = b.deps(m)
	t.WeakDeps, t.After = b.references(m.weakDeps, "weakDeps"), b.references(m.after, "after")
	if l := m.nearest(func(c *config.Body) bool { return c.Cache.Set }); l != nil && l.body.Cache.Value && !l.defaults {
		t.SaysCache = l.src.Place(l.body.Cache.Span)
	}
	if m.env != nil {
		t.FromHost, t.Pass, t.EnvNames, t.Override = m.env.fromHostNames, m.env.passNames, m.env.names, m.env.overrides
	}
	return t
}

// single takes from a body what it says of keys that have one value, whole.
func single(t *workspace.Task, c *config.Body) {
	flag := func(out *bool, b config.Bool) {
		if b.Set {
			*out = b.Value
		}
	}
	flag(&t.Cache, c.Cache)
	flag(&t.Incremental, c.Incremental)
	flag(&t.Interactive, c.Interactive)
	flag(&t.TTY, c.TTY)
	flag(&t.Internal, c.Internal)
	if c.Description.Set {
		t.Description = c.Description.Value
	}
	if c.Timeout.Set {
		if t.Timeout = c.Timeout.Duration; t.Timeout == 0 {
			t.Timeout = workspace.NoTimeout
		}
	}
	if c.Retry.Set {
		t.Retry = retry(c.Retry)
	}
	if c.Service.Set {
		t.Service = service(c.Service)
	}
	if c.Mutex.Set { // MUTEX-001: "~:name" is the project's, a bare name the workspace's; MUTEX-002 … MUTEX-004: exclusive unless told
		name, own := strings.CutPrefix(c.Mutex.Name.Value, "~:")
		t.Mutex = &workspace.Mutex{ProjectScope: own, Name: name, Shared: c.Mutex.Mode.Value == "shared"}
	}
}

// action takes command or shell, and what is said of a shell.
func (b *builder) action(t *workspace.Task, m *merged) {
	of := m.action()
	if of == nil || !of.body.Shell.Set {
		t.Kind = workspace.Command
		if of != nil {
			t.Argv = texts(of.body.Command)
		}
		return
	}
	t.Kind, t.Shell, t.Script = workspace.Shell, "sh", of.body.Shell.Value
	if l := m.nearest(func(c *config.Body) bool { return c.ShellType.Set }); l != nil {
		t.Shell = l.body.ShellType.Value
	}
	t.AppendsArguments = m.nearest(func(c *config.Body) bool { return c.Args.Set }) != nil
	if l := m.nearest(func(c *config.Body) bool { return c.ShellOptions.Set }); l != nil {
		t.OwnOptions = append([]string{}, texts(l.body.ShellOptions)...)
	}
}

// condition is haz::cfg::082.
func condition(c config.If, dir string) workspace.Condition {
	out := workspace.Condition{OS: c.OS.Value, Env: c.Env.Value}
	if out.OS == "macos" {
		out.OS = "darwin"
	}
	if p, err := pattern.Parse(c.Exists.Value); c.Exists.Set && err == nil {
		out.Exists = p.Anchor(dir).String()
	}
	return out
}

// service is haz::cfg::140.
func service(c config.Service) *workspace.Service {
	s := &workspace.Service{Port: cmp.Or(c.Port.Port, c.Ready.Port.Port), Stop: workspace.Stop{Signal: c.Stop.Signal.Value}, Exports: map[string]string{}}
	s.AutoPort = s.Port == 0 && (c.Port.Set || c.Ready.Port.Set)
	s.Ready = workspace.Ready{Port: c.Ready.Port.Set, URL: c.Ready.HTTP.URL.Value, Output: c.Ready.Output.Value, Command: texts(c.Ready.Command), Status: c.Ready.HTTP.Status.Int,
		Timeout: cmp.Or(c.Ready.Timeout.Duration, workspace.ReadyTimeout), Interval: cmp.Or(c.Ready.Interval.Duration, workspace.ReadyInterval)}
	if c.Stop.Grace.Set {
		s.Stop.Grace = &c.Stop.Grace.Duration
	}
	if c.Restart.Value == "on-failure" {
		s.Restarts = cmp.Or(c.Limit.Int, workspace.RestartsUsual)
	}
	for _, e := range c.Exports {
		s.Exports[e.Key.Value] = e.Value.Value
	}
	return s
}

// readyFile puts the file by which a service is seen to be ready into the project: the rest of what it says is the same in all.
func (b *builder) readyFile(t *workspace.Task, m *merged, dir string) {
	l := m.nearest(func(c *config.Body) bool { return c.Service.Set })
	if t.Service == nil || l == nil || !l.body.Service.Ready.File.Set {
		return
	}
	if p, err := pattern.Parse(l.body.Service.Ready.File.Value); err == nil {
		s := *t.Service
		s.Ready.File = p.Anchor(dir).String()
		t.Service = &s
	}
}

// retry is haz::cfg::081.
func retry(c config.Retry) workspace.Retry {
	r := workspace.Retry{Times: c.Times.Int, Delay: c.Delay.Duration, Factor: c.Factor.Factor}
	if len(c.On) > 0 {
		r.On = &workspace.RetryOn{}
	}
	for _, on := range c.On {
		switch on.Value {
		case "timeout":
			r.On.Timeout = true
		case "signal":
			r.On.Signal = true
		default:
			r.On.Codes = append(r.On.Codes, on.Code)
		}
	}
	return r
}

func texts(l config.List) []string {
	if len(l.Items) == 0 {
		return nil
	}
	out := make([]string, len(l.Items))
	for i, t := range l.Items {
		out[i] = t.Value
	}
	return out
}

// deps parses the references of deps (haz::cfg::008, haz::cfg::018, haz::cfg::038).
func (b *builder) deps(m *merged) []workspace.RefDecl {
	if m.deps.len() == 0 {
		return nil
	}
	out := make([]workspace.RefDecl, 0, m.deps.len())
	for _, p := range m.deps {
		for i := range p.items {
			d := &p.items[i]
			if r, ok := b.reference(p.of, "deps", i, d.Task); ok {
				r.Narrow, r.Streams = d.Closure.Set && !d.Closure.Value, d.Streams.Value
				r.Optional = r.Optional || m.standIn && r.Ref.Form == workspace.RefOwn // what the script would need may be missing as well
				out = append(out, r)
			}
		}
	}
	return out
}

// references parses a list of references, of weakDeps (haz::cfg::008, haz::cfg::018) or after (haz::cfg::083).
func (b *builder) references(l list[config.Text], key string) []workspace.RefDecl {
	if l.len() == 0 {
		return nil
	}
	out := make([]workspace.RefDecl, 0, l.len())
	for _, p := range l {
		for i, t := range p.items {
			if r, ok := b.reference(p.of, key, i, t); ok {
				out = append(out, r)
			}
		}
	}
	return out
}

// reference parses an item of a list of references. A "?" behind it says that there may be no such task (REF-010).
func (b *builder) reference(of *layer, key string, i int, t config.Text) (workspace.RefDecl, bool) {
	text, optional := strings.CutSuffix(t.Value, "?")
	r, err := workspace.ParseReference(text, false)
	if err == nil {
		return workspace.RefDecl{Ref: r, Optional: optional, Place: of.src.Place(t.Span)}, true
	}
	rule := "haz::cfg::018"
	if key == "after" {
		rule = "haz::cfg::083"
	}
	d := diag.Diagnostic{Code: rule, Place: of.src.Place(t.Span), KeyPath: fmt.Sprintf("%s.%s[%d]", of.body.KeyPath(), key, i),
		Message: fmt.Sprintf("bad reference %s: %v", diag.QuoteShort(t.Value), err)}
	var e *workspace.ReferenceError
	if errors.As(err, &e) {
		d.Hint = e.Hint
		if e.Length > 0 {
			d.Place = of.src.Place(of.src.Within(t, e.Offset, e.Length))
		}
	}
	b.diags = append(b.diags, d)
	b.bad = append(b.bad, badReference{t.Value, d.Place})
	return workspace.RefDecl{}, false
}

// nowhere is the directory that bodies are checked in when no project has them.
const nowhere = "/ no project "

// warn says what is allowed and hardly meant. A body that many projects share is looked at once.
func (b *builder) warn(t *workspace.Task, p *workspace.Project) {
	if t.Cache {
		b.ownOutputs(t, p)
	}
}

// barePrograms warns about a program that is looked for in the system's default directories only.
func (b *builder) barePrograms(t *workspace.Task, m *merged) {
	if t.Kind != workspace.Command || len(t.Argv) == 0 || t.Argv[0] == "" || strings.Contains(t.Argv[0], "/") {
		return
	}
	of := m.nearest(func(c *config.Body) bool { return c.Command.Set })
	b.diags = append(b.diags, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::032", Place: of.src.Place(of.body.Command.Items[0].Span),
		Message: fmt.Sprintf("program %s is looked for in /bin and /usr/bin only: the task's environment has no PATH", diag.Quote(t.Argv[0])),
		Hint:    "env: {pass: [PATH]}"})
}
