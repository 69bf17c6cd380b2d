package haz

import (
	"context"
	"errors"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/git"
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
	// Environment is that of the git process, "NAME=value" (default: the snapshot of the workspace); StartedIn is the directory
	// that a relative GIT_INDEX_FILE is relative to (default: the one that the workspace was opened from).
	Environment []string
	StartedIn   string
}

// selectChanged is case 1 of chapter 3, 4.2: of the candidates, the affected ones.
func (w *Workspace) selectChanged(ctx context.Context, c Changes, everything bool) (*Selected, error) {
	what, err := w.changed(ctx, c)
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
	seeds := w.G.Affected(what.Paths, what.NestedDirs)
	give(seeds, IsAffected)
	if c.Kind == Affected {
		defined := w.G.Redefined(what.Paths)
		give(defined, IsDefinition)
		give(w.G.Downstream(append(seeds, defined...)), IsDownstream)
	}
	r := &Selected{Empty: "no task is affected by the changes", Reasons: map[int]Reason{}}
	for _, text := range what.Warnings {
		r.Warnings = append(r.Warnings, diag.Diagnostic{Severity: diag.Warning, Message: text})
	}
	for _, t := range w.Scope(everything) {
		if why, hit := reasons[t.Index]; hit {
			r.Targets = append(r.Targets, t.Index)
			r.Reasons[t.Index] = why
		}
	}
	slices.Sort(r.Targets)
	return r, nil
}

// changed asks git.
func (w *Workspace) changed(ctx context.Context, c Changes) (git.Changes, error) {
	mode := map[ChangeKind]git.Mode{Changed: git.WorkTree, Staged: git.Index, ChangedSince: git.Since, Affected: git.Affected}[c.Kind]
	env := c.Environment
	if env == nil {
		env = w.o.env
	}
	startedIn := c.StartedIn
	if startedIn == "" {
		startedIn = w.dir
	}
	what, err := git.Changed(ctx, git.Options{Root: w.W.Root, StartedIn: startedIn, Env: env, Mode: mode, Revision: c.Revision,
		HasRevision: c.Revision != "" || c.Kind == ChangedSince})
	var refused *git.Error
	if errors.As(err, &refused) {
		return what, &diag.Errors{List: diag.List{refused.Diagnostic()}}
	}
	return what, err
}
