package haz

import (
	"context"
	"errors"
	"io/fs"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/guess"
)

// patternChecker looks for patterns that select nothing, or something else than their text says (chapter 1, 8.5).
type patternChecker struct {
	w    *Workspace
	ctx  context.Context
	g    guess.Guesser
	list diag.List
}

// patternWarnings is what the disk says of the patterns of all tasks.
func (w *Workspace) patternWarnings(ctx context.Context) diag.List {
	c := &patternChecker{w: w, ctx: ctx, g: guess.Guesser{FS: w.FS, Tree: tree.New(w.FS)}}
	made := w.newPredictor()
	defer made.close()
	var inputs, outputs shared
	for _, t := range w.W.Tasks {
		if ctx.Err() != nil {
			return nil
		}
		for i, in := range t.Inputs {
			if in.Quiet {
				continue
			}
			if in.Pattern.IsLiteral() {
				c.literalInput(t, in)
			} else {
				inputs.add(t, i, in.Place, func() bool { return c.g.Selects(ctx, in, t.Exclude) || len(w.G.OutputsMeeting(in.Pattern)) > 0 })
				c.characters(t, "input", in, t.Exclude)
			}
		}
		last := made.lastOutputs(t)
		for i, out := range t.Outputs {
			if m, ok := c.g.Foreign(ctx, t, out); ok {
				c.add(t, "haz::cfg::017", out, m)
			} else if !out.Pattern.IsLiteral() {
				outputs.add(t, i, out.Place, func() bool { return last == nil || matches(last, out.Pattern) })
				c.characters(t, "output", out, nil)
			}
		}
	}
	for _, m := range inputs.missed() {
		c.nothing(m, "input", "haz::cfg::016")
	}
	for _, m := range outputs.missed() {
		c.nothing(m, "output", "haz::cfg::017")
	}
	return c.list
}

// literalInput is about inputs that are not there, a common reason for a first run that fails (chapter 3, 5).
func (c *patternChecker) literalInput(t *Task, in workspace.PatternDecl) {
	path := in.Pattern.Path()
	if _, err := c.w.FS.Lstat(path); !errors.Is(err, fs.ErrNotExist) || len(c.w.G.Writers(path)) > 0 {
		return
	}
	c.list = append(c.list, diag.Diagnostic{Severity: diag.Warning, Place: in.Place, Project: in.SharedIn(t), Hint: c.g.Literal(c.ctx, t, in),
		Message: "input " + diag.Quote(path) + " of task " + diag.Quote(t.ID.String()) + " does not exist, and no task produces it"})
}

func (c *patternChecker) add(t *Task, code string, d workspace.PatternDecl, m guess.Miss) {
	c.list = append(c.list, diag.Diagnostic{Severity: diag.Warning, Code: code, Place: d.Place, Project: d.SharedIn(t), Message: m.Of(t), Hint: m.Hint})
}

func (c *patternChecker) characters(t *Task, what string, d workspace.PatternDecl, exclude []workspace.PatternDecl) {
	if m, ok := c.g.Characters(c.ctx, t, what, d, exclude); ok {
		c.add(t, "PATH-008", d, m)
	}
}

// nothing is about a pattern of one task, or of an overlay's body in all of its tasks; the first is looked at.
func (c *patternChecker) nothing(m *missed, what, code string) {
	t := m.tasks[0]
	d, say := t.Inputs, func() guess.Miss { return c.g.Input(c.ctx, t, m.at) }
	if what == "output" {
		d, say = t.Outputs, func() guess.Miss { return c.g.Output(c.ctx, t, m.at, "matched nothing in its last run") }
	}
	if _, told := c.g.Characters(c.ctx, t, what, d[m.at], nil); told {
		return
	}
	miss := say()
	for _, t := range m.tasks {
		c.add(t, code, d[m.at], miss)
	}
}

// shared counts, for each pattern where it is written, the tasks in which it selects something. A pattern of an overlay, or of a set of files, is one
// mistake or none: what selects something in one project is no typing error in the others.
type shared struct {
	order []diag.Place
	found map[diag.Place]*missed
}

// missed is a pattern, by its tasks and its position in their lists.
type missed struct {
	tasks []*Task
	at    int
	some  bool // it selects something in a task
}

func (s *shared) add(t *Task, at int, place diag.Place, selects func() bool) {
	m := s.found[place]
	if m == nil {
		if s.found == nil {
			s.found = map[diag.Place]*missed{}
		}
		m = &missed{at: at}
		s.found[place] = m
		s.order = append(s.order, place)
	}
	m.tasks = append(m.tasks, t)
	m.some = m.some || selects()
}

// missed lists the patterns that select nothing in any of their tasks, in canonical order of the first.
func (s *shared) missed() []*missed {
	var list []*missed
	for _, p := range s.order {
		if m := s.found[p]; !m.some {
			list = append(list, m)
		}
	}
	return list
}

// lastOutputs are the outputs that the last result of a task in this tree has; nil when there is none, or none that is kept.
func (p *predictor) lastOutputs(t *Task) []entry.Output {
	globs := false
	for _, o := range t.Outputs {
		globs = globs || !o.Pattern.IsLiteral()
	}
	if !globs {
		return nil
	}
	products := p.state.Products(t.ID.String())
	if products.Task == "" {
		return nil
	}
	m, miss := p.store.Explain(products.Key)
	if miss != nil || m == nil {
		return nil
	}
	return append([]entry.Output{}, m.Outputs...)
}

func matches(outputs []entry.Output, p pattern.Pattern) bool {
	for i := range outputs {
		if p.Match(outputs[i].Path) {
			return true
		}
	}
	return false
}
