package load

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// placed are the patterns of a key, with the layer that each stands in.
type placed struct {
	decls []workspace.PatternDecl
	of    []*layer
}

func (p *placed) add(d workspace.PatternDecl, of *layer) {
	p.decls, p.of = append(p.decls, d), append(p.of, of)
}

// patterns anchors inputs, exclude and outputs at the project, and holds them to the rules that need them so.
func (b *builder) patterns(t *workspace.Task, m *merged, p *workspace.Project) {
	inputs := b.selection("inputs", m, m.inputs, p.Dir)
	exclude := anchor(m.exclude, p.Dir)
	b.envFiles(t, m, &inputs, p.Dir)
	outputs := b.selection("outputs", m, m.outputs, p.Dir)
	t.Inputs, t.Exclude, t.Outputs = inputs.decls, exclude.decls, outputs.decls
	t.If = workspace.Condition{}
	if l := m.nearest(func(c *config.Body) bool { return c.If != (config.If{}) }); l != nil && !m.standIn {
		t.If = condition(l.body.If, p.Dir)
	}
	b.readyFile(t, m, p.Dir)
	b.forbiddenOutputs(t.Outputs)
	b.excludedLiterals(t, m, &inputs, &exclude, p.Dir == nowhere)
}

// anchor anchors a list in a folder.
func anchor(l list[config.Pattern], dir string) (out placed) {
	n := l.len()
	if n == 0 {
		return out
	}
	out = placed{make([]workspace.PatternDecl, 0, n), make([]*layer, 0, n)}
	for _, part := range l {
		for i := range part.items {
			out.add(decl(part.of, &part.items[i], dir), part.of)
		}
	}
	return out
}

func decl(of *layer, item *config.Pattern, dir string) workspace.PatternDecl {
	return workspace.PatternDecl{Text: item.Value, Pattern: item.Glob.Anchor(dir), Place: of.src.Place(item.Span), Shared: of.shared}
}

// envFiles anchors the files of variables, and makes them inputs: an optional one by a pattern that matches it alone, since a literal has
// to be there (haz::cfg::045).
func (b *builder) envFiles(t *workspace.Task, m *merged, inputs *placed, dir string) {
	t.EnvFiles = nil
	if m.env == nil {
		return
	}
	for _, part := range m.env.files {
		for _, f := range part.items {
			name, optional := config.OptionalFile(f.Value)
			p, err := pattern.Parse(name)
			if err != nil {
				continue // told already
			}
			in := decl(part.of, &config.Pattern{Text: f, Glob: p}, dir)
			t.EnvFiles = append(t.EnvFiles, workspace.EnvFile{PatternDecl: in, Optional: optional})
			in.Quiet = true
			if optional {
				if in.Pattern, err = pattern.Parse(onlyItself(name)); err != nil {
					panic("workspace/load: " + err.Error()) // a class of one letter is legal anywhere
				}
				in.Pattern = in.Pattern.Anchor(dir)
			}
			inputs.add(in, part.of)
		}
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

// excludedLiterals refuses exclude patterns that match a literal of inputs, or a file of variables (haz::cfg::037): a literal is read
// whatever exclude says, so one of the two is a mistake, and what a file says must not be left out without a word. What a nearer body names
// is meant, whatever a wider one excludes.
func (b *builder) excludedLiterals(t *workspace.Task, m *merged, inputs, exclude *placed, unattached bool) {
	if len(exclude.decls) == 0 {
		return
	}
	literals, named := pattern.NewIndex(), namesOf(t, inputs)
	for i, p := range named {
		if p.IsLiteral() {
			literals.Add(i, p)
		}
	}
	for k, x := range exclude.decls {
		if b.ended() {
			return
		}
		first, depth := -1, m.depth(exclude.of[k])
		literals.Overlapping(x.Pattern, func(i int) {
			in := inputs.decls[i]
			// Where there is no project, what its directory would be decides about a relative and an absolute one.
			// What lies below a literal that is a folder may be excluded.
			if first < 0 && x.Pattern.Match(named[i].Path()) && !(unattached && absolute(in) != absolute(x)) &&
				(depth <= m.depth(inputs.of[i]) || !in.Pattern.IsLiteral()) { // an optional file of variables, which would be left out
				first = i
			}
		})
		if first >= 0 && (m.tells(exclude.of[k]) || !inputs.decls[first].Pattern.IsLiteral()) {
			b.excludedLiteral(x, inputs.decls[first], exclude.of[k] != inputs.of[first])
		}
	}
}

// namesOf are the patterns of inputs, of an optional file of variables its name.
func namesOf(t *workspace.Task, inputs *placed) []pattern.Pattern {
	files := make(map[diag.Place]pattern.Pattern, len(t.EnvFiles))
	for _, f := range t.EnvFiles {
		files[f.Place] = f.Pattern
	}
	names := workspace.Patterns(inputs.decls)
	for i, in := range inputs.decls {
		if name, is := files[in.Place]; is && in.Quiet {
			names[i] = name
		}
	}
	return names
}

// ended reports whether nobody waits for the result any more.
func (b *builder) ended() bool { return b.ctx != nil && b.ctx.Err() != nil }

func absolute(d workspace.PatternDecl) bool { return strings.HasPrefix(d.Text, "/") }

func (b *builder) excludedLiteral(x, in workspace.PatternDecl, inherited bool) {
	hint := "exclude takes away only what the globs of inputs find; remove one of the two"
	switch {
	case in.Quiet:
		hint = "exclude takes away only what the globs of inputs find; this is a file of variables"
	case inherited:
		hint = "exclude takes away only what the globs of inputs find; to take away the input: inputs: [" + diag.Quote("!"+in.Text) + "]"
	}
	b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::037", Place: x.Place,
		Message: fmt.Sprintf("exclude %s matches %s, which inputs names itself", diag.Quote(x.Text), diag.Quote(in.Text)),
		Hint:    hint,
		Related: []diag.Related{{Place: in.Place, Label: "the input is here"}}})
}

// overlapsMax bounds the pairs of globs that ownOutputs compares for one task, which is far more than a real task has: the
// comparison is exact, and a warning is not worth minutes.
const overlapsMax = 10_000

// ownOutputs warns about input globs that cover outputs of the same task: each change of such an output is a change of the
// task's own key, so the run after it misses once. Silent about equal patterns, which are a formatter's.
//
// To exclude such files is right where nobody but the task writes them. Where people edit them it would be harmful: an edit that
// is in no key does not make the task run. What the patterns are for only the user knows.
func (b *builder) ownOutputs(t *workspace.Task, p *workspace.Project) {
	excluded := make(map[string]bool, len(t.Exclude))
	for _, x := range t.Exclude {
		excluded[x.Pattern.String()] = true
	}
	pairs := 0
	for _, in := range t.Inputs {
		if in.Pattern.IsLiteral() || in.Pattern.IsListed() {
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
			project := ""
			if in.Shared { // it is one mistake, however many tasks have it
				project = p.Name
			}
			b.diags = append(b.diags, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::016", Place: in.Place, Project: project,
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
