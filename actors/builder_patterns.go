package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/guess"
)

// What a run says of patterns that miss (chapter 1, 8.5). It looks at the disk only for patterns that select nothing, or whose
// text has a set or a backslash.

// overlayPatterns collects what becomes of the patterns of overlays and of sets of files, which are one mistake or none in all of their tasks.
type overlayPatterns struct {
	mu    sync.Mutex
	found map[overlayPattern]*overlayMiss
}

type overlayPattern struct {
	overlay, task string
	output        bool
	at            int
	set           diag.Place // of one in a set of files, and nothing else
}

// overlayMiss is one that selected nothing so far: first is the first such task in canonical order.
type overlayMiss struct {
	some  bool
	first *workspace.Task
	count int
}

func (o *overlayPatterns) note(p overlayPattern, t *workspace.Task, some bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.found[p]
	if m == nil {
		if o.found == nil {
			o.found = map[overlayPattern]*overlayMiss{}
		}
		m = &overlayMiss{}
		o.found[p] = m
	}
	m.some = m.some || some
	if !some {
		if m.count++; m.first == nil || t.Index < m.first.Index {
			m.first = t
		}
	}
}

func (b *builder) guesser() guess.Guesser {
	return guess.Guesser{FS: b.r.o.FS, Tree: b.r.o.Tree}
}

// inputNotes is about the input globs of the key just derived.
func (b *builder) inputNotes(ctx context.Context, j *job) []messages.Note {
	ins := j.derived.Inputs
	some := func(p pattern.Pattern) bool { return anyMatch(p, len(ins), func(i int) string { return ins[i].Path }) }
	return b.patternNotes(ctx, j, false, j.task.Inputs, some)
}

// outputNotes is about the output globs of a result. What is an input of the key, as all is that a formatter finds in order,
// is matched too, if it is no output.
func (b *builder) outputNotes(ctx context.Context, j *job, outs []entry.Output) []messages.Note {
	in := j.derived.Inputs
	some := func(p pattern.Pattern) bool {
		return anyMatch(p, len(outs), func(i int) string { return outs[i].Path }) ||
			anyMatch(p, len(in), func(i int) string { return in[i].Path })
	}
	return b.patternNotes(ctx, j, true, j.task.Outputs, some)
}

func (b *builder) patternNotes(ctx context.Context, j *job, output bool, ds []workspace.PatternDecl, some func(pattern.Pattern) bool) (notes []messages.Note) {
	t := j.task
	add := func(m guess.Miss) {
		n := messages.Note{Text: m.String(), Hint: m.Hint}
		if !slices.Contains(j.noted, n.Text) { // a key may be derived again
			j.noted = append(j.noted, n.Text)
			notes = append(notes, n)
		}
	}
	for at, d := range ds {
		if d.Pattern.IsLiteral() || d.Quiet {
			continue
		}
		found := some(d.Pattern)
		if !found || strings.ContainsAny(d.Text, `[\`) {
			what, exclude := "input", t.Exclude
			if output {
				what, exclude = "output", nil
			}
			if m, ok := b.guesser().Characters(ctx, t, what, d, exclude); ok {
				add(m)
				continue
			}
		}
		switch {
		case d.Via != nil:
			b.overlays.note(overlayPattern{set: d.Place}, t, found)
		case t.Overlay != "":
			b.overlays.note(overlayPattern{overlay: t.Overlay, task: t.ID.Task, output: output, at: at}, t, found)
		case found:
		case output:
			add(b.guesser().Output(ctx, t, at, outputMissed))
		default:
			add(b.guesser().Input(ctx, t, at))
		}
	}
	return notes
}

const outputMissed = "matches nothing"

// anyMatch reports whether a pattern matches one of n sorted paths. Only those below its fixed prefix are asked.
func anyMatch(p pattern.Pattern, n int, path func(int) string) bool {
	prefix := strings.TrimSuffix(p.FixedPrefix(), "/") + "/"
	for i := sort.Search(n, func(i int) bool { return path(i) >= prefix }); i < n && strings.HasPrefix(path(i), prefix); i++ {
		if p.Match(path(i)) {
			return true
		}
	}
	return false
}

// missedByAll lists the notes on patterns of overlays that selected nothing in any task of the run, and do not in any other
// project that has them.
func (b *builder) missedByAll(ctx context.Context) []messages.Note {
	b.overlays.mu.Lock()
	defer b.overlays.mu.Unlock()
	var patterns []overlayPattern
	for p, m := range b.overlays.found {
		if !m.some {
			patterns = append(patterns, p)
		}
	}
	slices.SortFunc(patterns, func(a, b overlayPattern) int {
		return cmp.Or(cmp.Compare(a.overlay, b.overlay), cmp.Compare(a.task, b.task), compareFlags(a.output, b.output), cmp.Compare(a.at, b.at),
			cmp.Compare(a.set.File, b.set.File), cmp.Compare(a.set.Line, b.set.Line), cmp.Compare(a.set.Column, b.set.Column))
	})
	var notes []messages.Note
	for _, p := range patterns {
		m := b.overlays.found[p]
		if b.selectsElsewhere(ctx, p) {
			continue
		}
		var miss guess.Miss
		if p.output {
			miss = b.guesser().Output(ctx, m.first, p.at, outputMissed)
		} else {
			miss = b.guesser().Input(ctx, m.first, p.in(m.first))
		}
		text := miss.Of(m.first)
		if m.count > 1 {
			text += fmt.Sprintf(" (the same in %d more)", m.count-1)
		}
		notes = append(notes, messages.Note{Text: text, Hint: miss.Hint})
	}
	return notes
}

func compareFlags(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// in is where the pattern is among the inputs of a task that has it; -1: it has not.
func (p overlayPattern) in(t *workspace.Task) int {
	if p.set == (diag.Place{}) {
		return p.at
	}
	return slices.IndexFunc(t.Inputs, func(d workspace.PatternDecl) bool { return d.Via != nil && d.Place == p.set })
}

// selectsElsewhere reports whether a pattern of an overlay or a set selects something on disk for any of the tasks that have it.
func (b *builder) selectsElsewhere(ctx context.Context, p overlayPattern) bool {
	return slices.ContainsFunc(b.r.o.Plan.G.W.Tasks, func(t *workspace.Task) bool {
		switch {
		case p.set != diag.Place{}:
			at := p.in(t)
			return at >= 0 && b.guesser().Selects(ctx, t.Inputs[at], t.Exclude)
		case t.Overlay != p.overlay || t.ID.Task != p.task:
			return false
		case p.output:
			return b.guesser().Selects(ctx, t.Outputs[p.at], nil)
		}
		return b.guesser().Selects(ctx, t.Inputs[p.at], t.Exclude)
	})
}

// missingInput is a hint for a literal input that is not there.
func (b *builder) missingInput(ctx context.Context, j *job, err error) string {
	var k *key.Error
	if !errors.As(err, &k) || !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	for _, in := range j.task.Inputs {
		if in.Pattern.IsLiteral() && in.Pattern.Path() == k.Path {
			return b.guesser().Literal(ctx, j.task, in)
		}
	}
	return ""
}
