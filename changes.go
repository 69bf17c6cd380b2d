package haz

import (
	"context"
	"slices"
)

// ChangeKind says which changes count (chapter 3, 4.4).
type ChangeKind uint8

const (
	Changed      ChangeKind = iota + 1 // working tree against HEAD, and untracked files
	Staged                             // index against HEAD
	ChangedSince                       // working tree against Revision, and untracked files
	Affected                           // since the base branch; definitions and everything downstream count as well
)

// Changes selects by what changed in git.
type Changes struct {
	Kind     ChangeKind
	Revision string // ChangedSince: required; Affected: the base, "" for the default
	// Environment is that of the git process, "NAME=value"; StartedIn is the directory that a relative GIT_INDEX_FILE is
	// relative to.
	Environment []string
	StartedIn   string
}

// changed is what git says changed, as workspace paths.
type changed struct {
	files []string // workspace-absolute
	trees []string // directories of which git says no more: untracked repositories
}

// selectChanged is case 1 of chapter 3, 4.2: of the candidates, the affected ones.
func (w *Workspace) selectChanged(ctx context.Context, c Changes, everything bool) (*Selected, error) {
	what, warnings, err := w.changedPaths(ctx, c)
	if err != nil {
		return nil, err
	}
	reasons := map[int]Reason{}
	give := func(tasks []int, why Reason) {
		for _, t := range tasks {
			if _, known := reasons[t]; !known {
				reasons[t] = why
			}
		}
	}
	seeds := w.G.Affected(what.files, what.trees)
	give(seeds, IsAffected)
	if c.Kind == Affected {
		defined := w.G.Redefined(what.files)
		give(defined, IsDefinition)
		give(w.G.Downstream(append(seeds, defined...)), IsDownstream)
	}
	r := &Selected{Empty: "no task is affected by the changes", Warnings: warnings, Reasons: map[int]Reason{}}
	for _, t := range w.Scope(everything) {
		if why, hit := reasons[t.Index]; hit {
			r.Targets = append(r.Targets, t.Index)
			r.Reasons[t.Index] = why
		}
	}
	slices.Sort(r.Targets)
	return r, nil
}
