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
	found := map[string]actors.Hit{}
	for _, s := range foundIn(ctx, w, plan, o).Settled {
		found[plan.Tasks[s.Task].ID.String()] = s.Hit
	}
	return found
}

// ForeseenIn is SettledIn for the tasks of which a hit is foreseen.
func ForeseenIn(ctx context.Context, w *Workspace, plan *Plan, o RunOptions) map[string]actors.Foresight {
	found := map[string]actors.Foresight{}
	for _, s := range foundIn(ctx, w, plan, o).Foreseen {
		found[plan.Tasks[s.Task].ID.String()] = s.Hit
	}
	return found
}

func foundIn(ctx context.Context, w *Workspace, plan *Plan, o RunOptions) *actors.Options {
	r := &Result{}
	r.Hash, _ = digest.ParseFunction(w.W.Settings.Hash)
	e := w.engine(r.Hash, o, tree.New(w.FS).WithFiles(w.projectFiles()))
	defer e.close()
	defer e.state.Flush()
	opts := e.options(plan, r, o, func(messages.Event) {})
	e.settled(ctx, &opts)
	return &opts
}

// Hit is what is found of a task that is up to date.
type Hit = actors.Hit
