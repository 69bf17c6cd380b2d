package guess

import (
	"context"
	"fmt"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// A Miss is what there is to say of a pattern that misses: which pattern, the rest of the sentence, and what to do.
type Miss struct{ Pattern, Says, Hint string }

func (m Miss) String() string { return m.Pattern + " " + m.Says }

// Of is the sentence where the task has to be named.
func (m Miss) Of(t *workspace.Task) string {
	return m.Pattern + " of task " + diag.Quote(t.ID.String()) + " " + m.Says
}

// Input is about an input glob of t that selects nothing (chapter 1, 8.5).
func (g Guesser) Input(ctx context.Context, t *workspace.Task, at int) Miss {
	d := t.Inputs[at]
	m := g.nothing(ctx, t, "input", d, "selects nothing")
	if len(t.Exclude) > 0 && g.Selects(ctx, d, nil) {
		m.Says, m.Hint = m.Says+": exclude takes all of it away", ""
	}
	return m
}

// Output is about an output glob of t that matches nothing. verb says when.
func (g Guesser) Output(ctx context.Context, t *workspace.Task, at int, verb string) Miss {
	return g.nothing(ctx, t, "output", t.Outputs[at], verb)
}

func (g Guesser) nothing(ctx context.Context, t *workspace.Task, what string, d workspace.PatternDecl, verb string) Miss {
	m := Miss{Pattern: what + " " + diag.Quote(d.Text), Says: verb}
	absent, meant := g.Meant(ctx, t.Project.Dir, d)
	if absent != "" {
		m.Says += ": " + g.isNot(absent)
	}
	if meant != "" {
		m.Hint = diag.DidYouMean(meant)
	}
	if foreign := config.ForeignPattern(what+"s", d.Text); foreign != "" {
		m.Says, m.Hint = verb, foreign
	}
	return m
}

// isNot says what is wrong with a path that is in the way of a pattern.
func (g Guesser) isNot(path string) string {
	if info, err := g.FS.StatInfo(path); err == nil && info.Kind != fsys.Dir {
		return diag.Quote(path) + " is no folder"
	}
	if info, err := g.FS.Lstat(path); err == nil && info.Kind == fsys.Link {
		return diag.Quote(path) + " is a link that leads to no folder of the workspace"
	}
	return "there is no " + diag.Quote(path)
}

// Foreign is about an output of t whose text means something in another tool, and that is not there. ok is false for any other.
func (g Guesser) Foreign(ctx context.Context, t *workspace.Task, d workspace.PatternDecl) (m Miss, ok bool) {
	hint := config.ForeignPattern("outputs", d.Text)
	if hint == "" || g.any(ctx, t.Project.Dir, d.Text) {
		return Miss{}, false
	}
	return Miss{Pattern: "output " + diag.Quote(d.Text), Says: "is a path like any other", Hint: hint}, true
}

// Literal is about a literal of t at which nothing is: the nearest text that names something, as a hint.
func (g Guesser) Literal(ctx context.Context, t *workspace.Task, d workspace.PatternDecl) (hint string) {
	if foreign := config.ForeignPattern("inputs", d.Text); foreign != "" {
		return foreign
	}
	if _, meant := g.Meant(ctx, t.Project.Dir, d); meant != "" {
		return diag.DidYouMean(meant)
	}
	return ""
}

// Characters is about a text of t whose characters are read as a pattern although a file has them in its name. ok is false when
// there is no such file, or the pattern selects it.
func (g Guesser) Characters(ctx context.Context, t *workspace.Task, what string, d workspace.PatternDecl, exclude []workspace.PatternDecl) (m Miss, ok bool) {
	path, spelling := g.Unescaped(ctx, t.Project.Dir, d, exclude)
	if path == "" {
		return Miss{}, false
	}
	return Miss{
		Pattern: what + " " + diag.Quote(d.Text),
		Says:    fmt.Sprintf("does not match %s: its characters have a meaning in patterns", diag.Quote(path)),
		Hint:    "for that file, write " + diag.Quote(spelling),
	}, true
}
