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

// sharedPatterns collects what becomes of patterns that several tasks have, of overlays, defaults and sets of files, which are one mistake
// or none in all of them.
type sharedPatterns struct {
	mu    sync.Mutex
	found map[sharedPattern]*sharedMiss
}

type sharedPattern struct {
	place  diag.Place
	text   string // where the workspace is no files, places are coarse
	output bool
}

// sharedMiss is one that selected nothing so far: first is the first such task in canonical order, at its position there.
type sharedMiss struct {
	some  bool
	first *workspace.Task
	at    int
	count int
}

func (s *sharedPatterns) note(p sharedPattern, t *workspace.Task, at int, some bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.found[p]
	if m == nil {
		if s.found == nil {
			s.found = map[sharedPattern]*sharedMiss{}
		}
		m = &sharedMiss{}
		s.found[p] = m
	}
	m.some = m.some || some
	if !some {
		if m.count++; m.first == nil || t.Index < m.first.Index {
			m.first, m.at = t, at
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
		case d.Shared:
			b.shared.note(sharedPattern{d.Place, d.Text, output}, t, at, found)
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

// missedByAll lists the notes on patterns of overlays, defaults and sets that selected nothing in any task of the run, and do not in any other
// task that has them.
func (b *builder) missedByAll(ctx context.Context) []messages.Note {
	b.sharedBySettled()
	b.shared.mu.Lock()
	defer b.shared.mu.Unlock()
	var patterns []sharedPattern
	for p, m := range b.shared.found {
		if !m.some {
			patterns = append(patterns, p)
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	b.lookElsewhere(ctx)
	slices.SortFunc(patterns, func(x, y sharedPattern) int {
		a, b := b.shared.found[x], b.shared.found[y]
		return cmp.Or(cmp.Compare(a.first.Overlay, b.first.Overlay), cmp.Compare(a.first.ID.Task, b.first.ID.Task), compareFlags(x.output, y.output), cmp.Compare(a.at, b.at))
	})
	var notes []messages.Note
	for _, p := range patterns {
		m := b.shared.found[p]
		if m.some {
			continue
		}
		var miss guess.Miss
		if p.output {
			miss = b.guesser().Output(ctx, m.first, m.at, outputMissed)
		} else {
			miss = b.guesser().Input(ctx, m.first, m.at)
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

// lookElsewhere takes note of the patterns that select something on disk for any task that has them.
func (b *builder) lookElsewhere(ctx context.Context) {
	look := func(d workspace.PatternDecl, output bool, exclude []workspace.PatternDecl) {
		if !d.Shared {
			return
		}
		if m := b.shared.found[sharedPattern{d.Place, d.Text, output}]; m != nil && !m.some {
			m.some = b.guesser().Selects(ctx, d, exclude)
		}
	}
	for _, t := range b.r.o.Plan.G.W.Tasks {
		for _, d := range t.Inputs {
			look(d, false, t.Exclude)
		}
		for _, d := range t.Outputs {
			look(d, true, nil)
		}
	}
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

// sharedBySettled takes note of such patterns that select nothing in settled tasks. Of those that do, lookElsewhere finds the files.
func (b *builder) sharedBySettled() {
	if b.r.settled.Len() == 0 {
		return
	}
	for _, s := range b.r.o.Settled {
		t := b.r.o.Plan.Tasks[s.Task]
		for _, m := range s.Hit.Missed() {
			d := t.Inputs
			if m.Output {
				d = t.Outputs
			}
			b.shared.note(sharedPattern{d[m.At].Place, d[m.At].Text, m.Output}, t, m.At, false)
		}
	}
}
