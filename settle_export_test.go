package haz

import (
	"context"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/messages"
)

// SettledIn lists what a run of a plan would find up to date before it begins, by task. It carries nothing out, and writes nothing down.
func SettledIn(ctx context.Context, w *Workspace, plan *Plan, o RunOptions) map[string]actors.Hit {
	r := &Result{}
	r.Hash, _ = digest.ParseFunction(w.W.Settings.Hash)
	e := w.engine(r.Hash, o, tree.New(w.FS).WithFiles(w.projectFiles()))
	defer e.close()
	defer e.state.Flush()
	opts := e.options(plan, r, o, func(messages.Event) {})
	e.settled(ctx, &opts)
	found := map[string]actors.Hit{}
	for _, s := range opts.Settled {
		found[plan.Tasks[s.Task].ID.String()] = s.Hit
	}
	return found
}

// Hit is what is found of a task that is up to date.
type Hit = actors.Hit
