package actors

import (
	"fmt"
	"slices"
	"sync"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Two globs make no edge, so a task may read its inputs and end before another makes what these inputs select (chapter 1, 8.5).
// Whoever of the two ends last says so: the writer of readers that have ended, the reader of what was written since it looked.

// overtakings is what tasks of a run wrote that others in it read without waiting for it.
type overtakings struct {
	mu    sync.Mutex
	made  []made
	ended map[int]bool // readers, by position in the plan
}

// made is a result that was put into the tree.
type made struct {
	task *workspace.Task
	outs []entry.Output
}

// looks is called before a task reads its inputs.
func (j *job) looks(o *overtakings) {
	o.mu.Lock()
	defer o.mu.Unlock()
	j.madeBefore = len(o.made)
}

// hasRead notes what the key just derived has read.
func (j *job) hasRead(d *key.Derived) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.read = d
}

// wroteLate notes, of a result that was just put into the tree, the tasks that have ended without reading it.
func (b *builder) wroteLate(j *job, outs []entry.Output, reads []messages.Read) (notes []messages.Note) {
	var readers []*job
	for _, r := range reads {
		if at, inPlan := graph.Position(b.r.o.Plan, r.Reader); inPlan && !b.r.o.Plan.Waits(at, j.index) && !b.r.o.Plan.Waits(j.index, at) { // of a cycle the ledger speaks
			readers = append(readers, b.job(at))
		}
	}
	if len(readers) == 0 {
		return nil
	}
	b.order.mu.Lock()
	b.order.made = append(b.order.made, made{j.task, outs})
	readers = slices.DeleteFunc(readers, func(r *job) bool { return !b.order.ended[r.index] && !b.r.settled.Has(r.index) })
	b.order.mu.Unlock()
	for _, r := range readers {
		if path := b.missed(r, outs); path != "" {
			notes = append(notes, messages.Note{Hint: fmt.Sprintf("deps: [\"%s\"] in `%s`", j.task.ID, r.task.ID),
				Text: fmt.Sprintf("`%s` had read its inputs before %s was made, so its result may be without it", r.task.ID, path)})
		}
	}
	return notes
}

// readEarly notes, of a task that ends, what was put into the tree since it looked, and is not what it has read.
func (b *builder) readEarly(j *job) (notes []messages.Note) {
	b.order.mu.Lock()
	if b.order.ended == nil {
		b.order.ended = map[int]bool{}
	}
	b.order.ended[j.index] = true
	since := b.order.made[j.madeBefore:]
	b.order.mu.Unlock()
	for _, m := range since {
		if m.task == j.task {
			continue
		}
		if path := b.missed(j, m.outs); path != "" {
			notes = append(notes, messages.Note{Hint: fmt.Sprintf("deps: [\"%s\"]", m.task.ID),
				Text: fmt.Sprintf("`%s` made %s after this task had read its inputs, so its result may be without it", m.task.ID, path)})
		}
	}
	return notes
}

// missed is one of the outputs of another task that a task selects as an input and has not read as it is now; "" when there is none.
func (b *builder) missed(j *job, outs []entry.Output) string {
	selects := func(path string) bool {
		match := func(d workspace.PatternDecl) bool { return d.Pattern.Match(path) }
		return slices.ContainsFunc(j.task.Inputs, match) && !slices.ContainsFunc(j.task.Exclude, match)
	}
	var read *key.Derived
	for i := range outs {
		o := &outs[i]
		if o.Kind != entry.File || !selects(o.Path) {
			continue
		}
		if read == nil {
			if read = b.readBy(j); read == nil {
				return ""
			}
		}
		if _, digest, ok := read.Input(o.Path); !ok || digest != o.Digest {
			return o.Path
		}
	}
	return ""
}

// readBy is what a task has read; nil when that is not known. Once it was released, it is written down.
func (b *builder) readBy(j *job) *key.Derived {
	j.mu.Lock()
	read := j.read
	j.mu.Unlock()
	if read != nil {
		return read
	}
	record, ok := b.r.o.State.LastKey(j.task.ID.String())
	if !ok {
		return nil
	}
	secret, _ := b.r.o.State.Secret(false)
	if read, ok = key.FromRecord(record, secret); !ok {
		return nil
	}
	return read
}
