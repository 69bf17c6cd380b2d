package actors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/graph"
)

// The second looks of a task that is executed (S-23): what its key was made of must stand until it has ended.

// The outputs of near upstreams are compared however many they are. Those of far ones are often most of what has run so far,
// so the longer a task took, in which somebody could edit one of them, the more of them: for a task of a second all that
// there are, for one of some milliseconds about what costs a hundredth of it. Tasks that ended meanwhile have looked as well, and what
// they saw counts for all (suspects), so the looks of that time are shared: a run makes about farLooksPerMS in each millisecond, and
// not as many times that as it has tasks under way.
const (
	farLooks      = 8
	farLooksPerMS = 4
)

// maxSuspects is how many are kept of one task: one is enough to tell that it is not as it was.
const maxSuspects = 8

// suspects are outputs that a look found to be others than their tasks left them, by task. They are looked at again by each task behind
// which they lie, however far. Nearly always there are none.
type suspects struct {
	mu   sync.Mutex
	seen atomic.Pointer[map[int][]string] // never changed: replaced
}

func (s *suspects) add(task int, paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(s.all())
	if all == nil {
		all = map[int][]string{}
	}
	for _, p := range paths {
		if len(all[task]) < maxSuspects && !slices.Contains(all[task], p) {
			all[task] = append(slices.Clip(all[task]), p)
		}
	}
	s.seen.Store(&all)
}

func (s *suspects) all() map[int][]string {
	if m := s.seen.Load(); m != nil {
		return *m
	}
	return nil
}

// keep takes note of what a completed task has in the tree, where others look at it later.
func (b *builder) keep(j *job, key entry.Key, files []state.Produced, listed bool) {
	if slices.ContainsFunc(b.r.o.Plan.Down[j.index], func(e graph.Edge) bool { return e.Kind.Carries() }) && len(files) > 0 {
		j.kept, j.keptKey = outputs.Keep(j.task.ID.String(), files, listed), key
	}
}

// lookBefore is the look before the spawn, at the inputs. It also takes note of the folders in which lies what is read.
// Outputs of upstreams that were changed since are found by the look afterwards.
func (b *builder) lookBefore(ctx context.Context, j *job) (moved []string, err error) {
	j.lookedAt, j.looksBefore = b.r.o.Clock.Now(), b.looks.Load()
	near, _, _ := b.near(j)
	j.folders, err = key.LookAtFolders(ctx, b.r.o.FS, func(yield func(string) bool) {
		for i := range j.derived.Inputs {
			if !yield(j.derived.Inputs[i].Path) {
				return
			}
		}
		for _, task := range near {
			for p := range b.job(task).kept.Paths {
				if !yield(p) {
					return
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if moved, err = b.r.o.Deriver.Refresh(ctx, j.task, j.derived); err != nil || len(moved) > 0 {
		return moved, err
	}
	j.program, moved, err = b.r.o.Deriver.ToolsMoved(ctx, j.task, j.derived)
	return moved, err
}

// near are the tasks whose outputs count in the key of j and that its deps name, also by way of tasks that declare no outputs
// (groups). Behind those in border, which declare some, lie the far ones; seen are the tasks that were met.
func (b *builder) near(j *job) (near, border []int, seen map[int]bool) {
	plan := b.r.o.Plan
	seen = map[int]bool{}
	var narrow, todo []int
	for _, e := range plan.Up[j.index] {
		switch {
		case e.Kind != graph.Hard:
		case e.Narrow: // nothing behind it is in the key
			narrow = append(narrow, e.Task)
		default:
			seen[e.Task] = true
			todo = append(todo, e.Task)
		}
	}
	for len(todo) > 0 {
		task := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		near = b.appendKept(near, task)
		if len(plan.Tasks[task].Outputs) > 0 {
			border = append(border, task)
		} else {
			todo = b.appendUnseen(todo, task, seen)
		}
	}
	for _, task := range narrow {
		if !seen[task] {
			near = b.appendKept(near, task)
		}
	}
	return near, border, seen
}

// far are the tasks behind those in border, the nearest first, up to about so many outputs; suspected are those farther away that have
// suspects.
func (b *builder) far(border []int, seen map[int]bool, most int) (far, suspected []int) {
	behind, known := slices.Clone(border), b.suspects.all()
	for i, count := 0, 0; i < len(behind) && (count < most || len(known) > 0); i++ {
		from, enough := len(behind), count >= most
		behind = b.appendUnseen(behind, behind[i], seen)
		for _, task := range behind[from:] {
			switch k := b.job(task).kept; {
			case k == nil:
			case !enough:
				far = append(far, task)
				count += k.Len()
			case len(known[task]) > 0:
				suspected = append(suspected, task)
			}
		}
	}
	return far, suspected
}

func (b *builder) appendKept(to []int, task int) []int {
	if b.job(task).kept != nil {
		to = append(to, task)
	}
	return to
}

// appendUnseen appends the hard upstreams of a task that were not met yet.
func (b *builder) appendUnseen(to []int, task int, seen map[int]bool) []int {
	for _, e := range b.r.o.Plan.Up[task] {
		if e.Kind == graph.Hard && !seen[e.Task] {
			seen[e.Task] = true
			to = append(to, e.Task)
		}
	}
	return to
}

// movedMeanwhile says whether anything in the key changed before the task had ended (S-23). What the task itself wrote, and
// declares as its output, is exempt.
func (b *builder) movedMeanwhile(ctx context.Context, j *job) (reason, hint string) {
	if why := b.r.moved(); why != "" {
		return why, ""
	}
	wrote := make(map[string]bool, len(j.collected.Wrote))
	for _, p := range j.collected.Wrote {
		wrote[p] = true
	}
	c, err := b.r.o.Deriver.Moved(ctx, j.task, j.derived, func(p string) bool { return wrote[p] })
	switch {
	case err != nil:
		return err.Error(), ""
	case len(c.Moved) > 0:
		return someMore(c.Moved) + " changed while the task ran", b.askRemake(j, c.Moved)
	case !j.task.Cache || !b.r.o.Store:
		return "", ""
	}
	switch program, moved, err := b.r.o.Deriver.ToolsMoved(ctx, j.task, j.derived); {
	case err != nil:
		return err.Error(), ""
	case len(moved) > 0:
		return "tool " + someMore(moved) + " changed while the task ran", ""
	case j.program != "" && j.program != program: // what was started is not looked at any more
		return "tool " + j.task.CommandLine()[0] + " changed while the task ran", ""
	}
	if reason, hint, err = b.upstreamsMoved(ctx, j, wrote, &c); err != nil || reason != "" {
		if err != nil {
			reason = err.Error()
		}
		return reason, hint
	}
	return b.rewritten(ctx, j, c.Rewritten)
}

func someMore(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

// upstreamsMoved says whether outputs of upstreams are others than those in the key. What was only rewritten goes to c.
func (b *builder) upstreamsMoved(ctx context.Context, j *job, wrote map[string]bool, c *key.Changes) (reason, hint string, err error) {
	skip := func(p string) bool {
		if wrote[p] {
			return true
		}
		_, _, isInput := j.input(p)
		return isInput // was looked at as such
	}
	rewritten := func(p string) { c.Rewritten = append(c.Rewritten, p) }
	near, border, seen := b.near(j)
	share := b.looks.Add(1) - j.looksBefore // of the tasks that ended since this one looked, itself included
	far, suspected := b.far(border, seen, farLooks+farLooksPerMS*int(b.r.o.Clock.Now().Sub(j.lookedAt).Milliseconds()/share))
	all := make([]*outputs.Kept, 0, len(near)+len(far)+len(suspected))
	for i, task := range slices.Concat(near, far, suspected) {
		k, but := b.job(task).kept, skip
		all = append(all, k)
		if i >= len(near)+len(far) {
			paths := b.suspects.all()[task]
			but = func(p string) bool { return skip(p) || !slices.Contains(paths, p) }
		}
		var moved []string
		if err := k.Moved(ctx, b.r.o.FS, b.r.o.State, but, func(p string) { moved = append(moved, p) }, rewritten); err != nil {
			return "", "", err
		}
		if len(moved) > 0 {
			b.suspects.add(task, moved)
			return fmt.Sprintf("%s, made by %s, changed before the task had ended", someMore(moved), k.Task), b.askRemake(j, moved), nil
		}
	}
	if k := outputs.Remade(b.r.o.State, all); k != nil {
		return fmt.Sprintf("another haz ran %s again before the task had ended", k.Task), "", nil
	}
	reason, err = b.leftOutMoved(ctx, j, seen)
	return reason, "", err
}

// leftOutMoved says whether at the outputs of an upstream whose condition does not hold lies something else than what is in the key (EXEC-069).
// Of those that are not narrow, seen are the ones that were met.
func (b *builder) leftOutMoved(ctx context.Context, j *job, seen map[int]bool) (string, error) {
	for _, e := range b.r.o.Plan.Up[j.index] {
		if e.Kind == graph.Hard {
			seen[e.Task] = true
		}
	}
	for _, task := range slices.Sorted(maps.Keys(seen)) {
		up := b.job(task)
		if up.leftOut == nil {
			continue
		}
		switch lying, err := Lying(ctx, b.r.o.FS, b.r.o.State, b.r.o.Hash, up.task); {
		case err != nil:
			return "", err
		case lying != *up.leftOut:
			return fmt.Sprintf("what lies at the outputs of %s, which was left out, changed before the task had ended", up.task.ID), nil
		}
	}
	return "", nil
}

// rewritten judges what has the bytes that it had, but was written again, or lies in a folder that was moved and moved back,
// while the task ran: perhaps by somebody who put other bytes there in between, for the task to read. A tool that does this
// to its own inputs does it each time, so it is believed when it was seen before.
func (b *builder) rewritten(ctx context.Context, j *job, files []string) (reason, hint string) {
	var folders []string
	if j.folders != nil {
		var err error
		if folders, err = j.folders.Swapped(ctx); err != nil {
			return err.Error(), ""
		}
	}
	if len(files)+len(folders) == 0 {
		return "", ""
	}
	task := j.task.ID.String()
	known := b.r.o.State.Rewrites(task)
	isNew := func(p string) bool {
		_, found := slices.BinarySearch(known, p)
		return !found
	}
	newFiles, newFolders := slices.DeleteFunc(slices.Clone(files), not(isNew)), slices.DeleteFunc(slices.Clone(folders), not(isNew))
	switch {
	case len(newFiles) > 0:
		reason = someMore(newFiles) + " was written again while the task ran, with the bytes it had"
	case len(newFolders) > 0:
		reason = someMore(newFolders) + " was moved, or given other permissions, while the task ran"
	default:
		return "", ""
	}
	b.r.o.State.AddRewrites(task, slices.Concat(newFiles, newFolders))
	return reason, "where the task itself does that, run it once more: its next result is stored"
}

func not(f func(string) bool) func(string) bool { return func(s string) bool { return !f(s) } }
