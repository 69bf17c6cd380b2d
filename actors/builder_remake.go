package actors

import (
	"context"
	"fmt"
	"slices"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
)

// Some tools write beside their sources what they know of them, and by which times they know it (Python's bytecode). A hit brings
// both back, but not the times. So the first who uses them writes them anew: an output of one task that another one changes, which
// is not stored therefore, and the next hit brings the old ones back. Who made them is carried out once more instead: then the
// times are what they are.

// askRemake notes that the task has changed outputs of tasks that were hits. Where they were made anew for such a reason, that was
// in vain.
func (b *builder) askRemake(j *job, moved []string) (hint string) {
	if !b.r.o.Store || !b.r.o.Lookup {
		return ""
	}
	seen := map[int]bool{j.index: true}
	for todo := []int{j.index}; len(todo) > 0; {
		task := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range b.r.o.Plan.Up[task] {
			if e.Kind != graph.Hard || seen[e.Task] {
				continue
			}
			seen[e.Task] = true
			todo = append(todo, e.Task)
			u := b.job(e.Task)
			if u.kept == nil || !u.restored && !u.remake || !slices.ContainsFunc(moved, u.kept.Has) {
				continue
			}
			switch id := u.task.ID.String(); {
			case u.remake:
				b.r.o.State.Remade(id, u.was, true)
			case b.r.o.State.AskRemake(id, u.was, j.task.ID.String()):
				hint = fmt.Sprintf("where the task itself does that, run it once more: what %s made came from the cache, and is made anew then", id)
			}
		}
	}
	return hint
}

// remakeAsked says why the task is to be carried out though the cache has its result; nil when it is not.
func (b *builder) remakeAsked(j *job) *entry.Miss {
	reader := ""
	if b.r.o.Store {
		reader = b.r.o.State.Remake(j.task.ID.String(), j.derived.Key)
	}
	j.remake = reader != ""
	return RemakeMiss(reader)
}

// RemakeMiss is the miss of a task that is to be carried out again because of a reader; nil where that is "".
func RemakeMiss(reader string) *entry.Miss {
	if reader == "" {
		return nil
	}
	return &entry.Miss{Reason: entry.NoEntry, Detail: "none that serves: " + reader + " changed what a hit had brought back"}
}

// clearForRemake moves away what was changed of the earlier result: the task must not find it. What was not is taken away as
// ever.
func (b *builder) clearForRemake(ctx context.Context, j *job, t *cache.Target) []messages.Note {
	var changed []string
	for i := range t.Products.Files {
		f := &t.Products.Files[i]
		if !f.Found && f.HasDigest && !j.isSource(f.Path) && !t.Others(f.Path) && !b.r.o.Cache.Unmodified(ctx, f) {
			changed = append(changed, f.Path)
		}
	}
	kept, err := b.r.o.Cache.Displace(ctx, *t, changed)
	if err != nil && ctx.Err() == nil {
		j.left.stuck = err.Error()
	}
	return b.displacedNote(kept, "was changed since a hit brought it back")
}
