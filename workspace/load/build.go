package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// builder makes tasks of the bodies of one file. It is used by one goroutine.
type builder struct {
	ctx   context.Context // nil: nothing ends the checks early
	src   *config.Source
	files map[string]bool // the haz.yml of all projects, workspace-absolute
	diags diag.List
	made  map[*config.Body]*made
	bad   []badReference

	seen map[*workspace.Project]*sets // what each project sees of named sets of files
	sets *sets                        // those of the project that a task is made for; nil: it stands for none
}

// badReference is a text of deps or weakDeps that is no reference, and where that is told.
type badReference struct {
	text  string
	place diag.Place
}

// made is what a body came to: all but its identity is the same for each task that is made of it, and the patterns are for
// each task in one directory.
type made struct {
	task workspace.Task
	dir  string
	bare bool // barePrograms has looked at it
}

// task makes the task of a project; overlay is the name of the overlay that the file is, or "". A project without name and
// directory stands for none: the body is only checked.
func (b *builder) task(p *workspace.Project, c config.Task, overlay string) *workspace.Task {
	m := b.made[c.Body]
	b.sets = b.seen[p]
	if m == nil {
		m = &made{task: b.body(c.Body)}
		if b.made == nil {
			b.made = make(map[*config.Body]*made, 4)
		}
		b.made[c.Body] = m
		b.patterns(&m.task, c.Body, p)
		b.warn(&m.task)
		m.dir = p.Dir
	} else if m.dir != p.Dir {
		b.patterns(&m.task, c.Body, p)
		m.dir = p.Dir
	}
	t := m.task
	t.ID = workspace.TaskID{Project: p.Name, Task: c.Name.Value}
	t.Project = p
	t.Overlay = overlay
	if t.Strict = p.StrictEnv; c.Body.Env.Strict.Set {
		t.Strict = c.Body.Env.Strict.Value
	}
	if !m.bare && !t.HasPath() { // where the environment is strict, which may be said by one project of several
		b.barePrograms(&t, c.Body)
		m.bare = true
	}
	t.Place = b.src.Place(c.Name.Span)
	return &t
}

// tasks are what task makes, one for each cell of a matrix (haz::cfg::092). What is wrong is told of the first one that has anything wrong.
func (b *builder) tasks(p *workspace.Project, c config.Task, overlay string) []*workspace.Task {
	if len(c.Body.Cells) == 0 {
		return []*workspace.Task{b.task(p, c, overlay)}
	}
	out := make([]*workspace.Task, 0, len(c.Body.Cells))
	before, clean := len(b.diags), true
	bad := b.bad
	for _, cell := range c.Body.Cells {
		name := c.Name
		name.Value += workspace.CellSuffix(cell.Values)
		told := len(b.diags)
		t := b.task(p, config.Task{Name: name, Body: cell.Body}, overlay)
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
	b.bad = bad
	return out
}

// body makes what does not depend on the project.
func (b *builder) body(c *config.Body) workspace.Task {
	t := workspace.Task{Cache: (!c.Cache.Set || c.Cache.Value) && !c.Interactive.Value,
		Incremental: c.Incremental.Value, Interactive: c.Interactive.Value, TTY: c.TTY.Value,
		Description: c.Description.Value, Internal: c.Internal.Value}
	switch {
	case c.Shell.Set:
		t.Kind, t.Shell, t.Script = workspace.Shell, "sh", c.Shell.Value
		if c.ShellType.Set {
			t.Shell = c.ShellType.Value
		}
		t.AppendsArguments = c.Args.Set
		if c.ShellOptions.Set {
			t.OwnOptions = append([]string{}, texts(c.ShellOptions)...)
		}
	default:
		t.Kind, t.Argv = workspace.Command, texts(c.Command)
	}
	if t.Timeout = c.Timeout.Duration; c.Timeout.Set && t.Timeout == 0 {
		t.Timeout = workspace.NoTimeout
	}
	t.Retry = retry(c.Retry)
	t.OwnTools = c.Tools.Set
	for _, tool := range c.Tools.Items {
		t.Tools = append(t.Tools, workspace.ToolDecl{Name: tool.Name.Value, Probe: texts(tool.Probe)})
	}
	t.Deps = b.deps(c)
	t.WeakDeps = b.weakDeps(c)
	t.FromHost, t.Pass = texts(c.Env.FromHost), texts(c.Env.Pass)
	if len(c.Env.Override) > 0 {
		t.Override = make(map[string]string, len(c.Env.Override))
		for _, o := range c.Env.Override {
			t.Override[o.Key.Value] = o.Value.Value
		}
	}
	if c.Mutex.Set { // MUTEX-001: "~:name" is the project's, a bare name the workspace's; MUTEX-002 … MUTEX-004: exclusive unless told
		name, own := strings.CutPrefix(c.Mutex.Name.Value, "~:")
		t.Mutex = &workspace.Mutex{ProjectScope: own, Name: name, Shared: c.Mutex.Mode.Value == "shared"}
	}
	return t
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
func (b *builder) deps(c *config.Body) []workspace.RefDecl {
	if len(c.Deps.Items) == 0 {
		return nil
	}
	out := make([]workspace.RefDecl, 0, len(c.Deps.Items))
	for i, d := range c.Deps.Items {
		if r, ok := b.reference(c, "deps", i, d.Task); ok {
			r.Narrow, r.Streams = d.Closure.Set && !d.Closure.Value, d.Streams.Value
			out = append(out, r)
		}
	}
	return out
}

// weakDeps parses the references of weakDeps (haz::cfg::008, haz::cfg::018).
func (b *builder) weakDeps(c *config.Body) []workspace.RefDecl {
	if len(c.WeakDeps.Items) == 0 {
		return nil
	}
	out := make([]workspace.RefDecl, 0, len(c.WeakDeps.Items))
	for i, t := range c.WeakDeps.Items {
		if r, ok := b.reference(c, "weakDeps", i, t); ok {
			out = append(out, r)
		}
	}
	return out
}

// reference parses an item of a list of references. A "?" behind it says that there may be no such task (REF-010).
func (b *builder) reference(c *config.Body, key string, i int, t config.Text) (workspace.RefDecl, bool) {
	text, optional := strings.CutSuffix(t.Value, "?")
	r, err := workspace.ParseReference(text, false)
	if err == nil {
		return workspace.RefDecl{Ref: r, Optional: optional, Place: b.src.Place(t.Span)}, true
	}
	d := diag.Diagnostic{Code: "haz::cfg::018", Place: b.src.Place(t.Span), KeyPath: fmt.Sprintf("%s.%s[%d]", c.KeyPath(), key, i),
		Message: fmt.Sprintf("bad reference %s: %v", diag.QuoteShort(t.Value), err)}
	var e *workspace.ReferenceError
	if errors.As(err, &e) {
		d.Hint = e.Hint
		if e.Length > 0 {
			d.Place = b.src.Place(b.src.Within(t, e.Offset, e.Length))
		}
	}
	b.diags = append(b.diags, d)
	b.bad = append(b.bad, badReference{t.Value, d.Place})
	return workspace.RefDecl{}, false
}

// patterns anchors inputs, exclude and outputs at the project, and holds them to the rules that need them so.
func (b *builder) patterns(t *workspace.Task, c *config.Body, p *workspace.Project) {
	t.Inputs = b.selection("inputs", c.Inputs, p.Dir)
	t.Exclude = b.anchor(c.Exclude, p.Dir)
	b.envFiles(t, c, p.Dir)
	t.Outputs = b.selection("outputs", c.Outputs, p.Dir)
	t.If = condition(c.If, p.Dir)
	b.forbiddenOutputs(t.Outputs)
	b.excludedLiterals(t, p.Dir == nowhere)
}

// envFiles anchors the files of variables, and makes them inputs: an optional one by a pattern that matches it alone, since a literal has
// to be there (haz::cfg::045).
func (b *builder) envFiles(t *workspace.Task, c *config.Body, dir string) {
	t.EnvFiles = nil
	for _, f := range c.Env.Files.Items {
		name, optional := config.OptionalFile(f.Value)
		p, err := pattern.Parse(name)
		if err != nil {
			continue // told already
		}
		file := workspace.EnvFile{PatternDecl: workspace.PatternDecl{Text: f.Value, Pattern: p.Anchor(dir), Place: b.src.Place(f.Span)}, Optional: optional}
		t.EnvFiles = append(t.EnvFiles, file)
		in := file.PatternDecl
		in.Quiet = true
		if optional {
			if in.Pattern, err = pattern.Parse(onlyItself(name)); err != nil {
				panic("workspace/load: " + err.Error()) // a class of one letter is legal anywhere
			}
			in.Pattern = in.Pattern.Anchor(dir)
		}
		t.Inputs = append(t.Inputs, in)
	}
}

// onlyItself is a glob that matches what a literal names, and nothing else.
func onlyItself(name string) string {
	base := strings.LastIndexByte(name, '/') + 1
	for i := base; i < len(name); i++ {
		if c := name[i]; (i == 0 || name[i-1] != '\\') && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			return name[:i] + "[" + name[i:i+1] + "]" + name[i+1:]
		}
	}
	return "{" + name + "," + name + "}"
}

// nowhere is the directory that bodies are checked in when no project has them.
const nowhere = "/ no project "

func (b *builder) anchor(c config.Patterns, dir string) []workspace.PatternDecl {
	if len(c.Items) == 0 {
		return nil
	}
	out := make([]workspace.PatternDecl, len(c.Items))
	for i, p := range c.Items {
		out[i] = workspace.PatternDecl{Text: p.Value, Pattern: p.Glob.Anchor(dir), Place: b.src.Place(p.Span)}
	}
	return out
}

// forbiddenOutputs refuses outputs under /.haz, where the cache lives, and the files that declare projects (haz::cfg::017, S-06).
func (b *builder) forbiddenOutputs(outputs []workspace.PatternDecl) {
	for _, o := range outputs {
		switch {
		case o.Pattern.IsLiteral() && b.files[o.Pattern.Path()]:
			b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::017", Place: o.Place,
				Message: fmt.Sprintf("output %s is the file that declares a project, which no task may write", diag.Quote(o.Text))})
		case under(o.Pattern, layout.Dir):
			b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::017", Place: o.Place,
				Message: fmt.Sprintf("output %s lies under /.haz, which belongs to haz", diag.Quote(o.Text))})
		}
	}
}

// under reports whether all that the pattern can match is dir or lies below it.
func under(p pattern.Pattern, dir string) bool {
	at := p.Path()
	return at == dir || strings.HasPrefix(at, dir+"/")
}

// excludedLiterals refuses exclude patterns that match a literal of inputs (haz::cfg::037): a literal is read whatever exclude says,
// so one of the two is a mistake.
func (b *builder) excludedLiterals(t *workspace.Task, unattached bool) {
	if len(t.Exclude) == 0 {
		return
	}
	literals := pattern.NewIndex()
	for i, in := range t.Inputs {
		if in.Pattern.IsLiteral() {
			literals.Add(i, in.Pattern)
		}
	}
	for _, x := range t.Exclude {
		if b.ended() {
			return
		}
		first := -1
		literals.Overlapping(x.Pattern, func(i int) {
			// Where there is no project, what its directory would be decides about a relative and an absolute one.
			// What lies below a literal that is a folder may be excluded.
			if first < 0 && x.Pattern.Match(t.Inputs[i].Pattern.Path()) && !(unattached && absolute(t.Inputs[i]) != absolute(x)) {
				first = i
			}
		})
		if first >= 0 {
			b.excludedLiteral(x, t.Inputs[first])
		}
	}
}

// ended reports whether nobody waits for the result any more.
func (b *builder) ended() bool { return b.ctx != nil && b.ctx.Err() != nil }

func absolute(d workspace.PatternDecl) bool { return strings.HasPrefix(d.Text, "/") }

func (b *builder) excludedLiteral(x, in workspace.PatternDecl) {
	b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::037", Place: x.Place,
		Message: fmt.Sprintf("exclude %s matches %s, which inputs names itself", diag.Quote(x.Text), diag.Quote(in.Text)),
		Hint:    "exclude takes away only what the globs of inputs find; remove one of the two",
		Related: []diag.Related{{Place: in.Place, Label: "the input is here"}}})
}

// warn says what is allowed and hardly meant. A body that many projects share is looked at once.
func (b *builder) warn(t *workspace.Task) {
	if t.Cache {
		b.ownOutputs(t)
	}
}

// barePrograms warns about a program that is looked for in the system's default directories only.
func (b *builder) barePrograms(t *workspace.Task, c *config.Body) {
	if t.Kind != workspace.Command || len(t.Argv) == 0 || t.Argv[0] == "" || strings.Contains(t.Argv[0], "/") {
		return
	}
	b.diags = append(b.diags, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::032", Place: b.src.Place(c.Command.Items[0].Span),
		Message: fmt.Sprintf("program %s is looked for in /bin and /usr/bin only: the task's environment has no PATH", diag.Quote(t.Argv[0])),
		Hint:    "env: {pass: [PATH]}"})
}

// overlapsMax bounds the pairs of globs that ownOutputs compares for one task, which is far more than a real task has: the
// comparison is exact, and a warning is not worth minutes.
const overlapsMax = 10_000

// ownOutputs warns about input globs that cover outputs of the same task: each change of such an output is a change of the
// task's own key, so the run after it misses once. Silent about equal patterns, which are a formatter's.
//
// To exclude such files is right where nobody but the task writes them. Where people edit them it would be harmful: an edit that
// is in no key does not make the task run. What the patterns are for only the user knows.
func (b *builder) ownOutputs(t *workspace.Task) {
	excluded := make(map[string]bool, len(t.Exclude))
	for _, x := range t.Exclude {
		excluded[x.Pattern.String()] = true
	}
	pairs := 0
	for _, in := range t.Inputs {
		if in.Pattern.IsLiteral() {
			continue
		}
		for _, out := range t.Outputs {
			pairs++
			if pairs > overlapsMax {
				return
			}
			if in.Pattern.String() == out.Pattern.String() || excluded[out.Pattern.String()] || !covers(in.Pattern, out.Pattern) || out.Pattern.IsLiteral() && excludesAll(t, out.Pattern) {
				continue
			}
			b.diags = append(b.diags, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::016", Place: in.Place,
				Message: fmt.Sprintf("input %s covers this task's own output %s, so a run that changes it makes the next run miss once",
					diag.Quote(in.Text), diag.Quote(out.Text)),
				Hint: "if nobody but this task writes " + diag.Quote(out.Text) + ", list it in exclude; if people edit it, leave it as it is"})
			break
		}
	}
}

func covers(in, out pattern.Pattern) bool {
	if out.IsLiteral() && !out.IsFolder() {
		return in.Match(out.Path())
	}
	return pattern.Overlap(in, out)
}

// excludesAll reports whether exclude takes away what a literal output is, be it a file or, where it says so, a folder.
func excludesAll(t *workspace.Task, out pattern.Pattern) bool {
	return workspace.MatchAny(t.Exclude, out.Path()) || out.IsFolder() && slices.ContainsFunc(t.Exclude, func(x workspace.PatternDecl) bool {
		return x.Pattern.CoversAllBelow(out.Path())
	})
}
