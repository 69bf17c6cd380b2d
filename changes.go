package haz

import (
	"context"
	"errors"

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

func (k ChangeKind) String() string {
	switch k {
	case Changed:
		return "changed"
	case Staged:
		return "staged"
	case ChangedSince:
		return "changed since"
	}
	return "affected"
}

// Changes selects by what changed in git.
type Changes struct {
	Kind     ChangeKind
	Revision string // ChangedSince: required; Affected: the base, "" for the default
	// Environment is that of the git process, "NAME=value" (default: the snapshot of the workspace); StartedIn is the directory
	// that a relative GIT_INDEX_FILE is relative to (default: the one that the workspace was opened from).
	Environment []string
	StartedIn   string
}

// keepChanged narrows the targets to those that changes affect, and says of each why (chapter 3, 4.4). given says that references
// named them.
func (w *Workspace) keepChanged(ctx context.Context, r *Selected, c Changes, given bool) error {
	what, err := w.changed(ctx, c)
	if err != nil {
		return err
	}
	reasons := map[int]Reason{}
	give := func(tasks []int, why Reason) {
		for _, t := range tasks {
			if _, known := reasons[t]; !known {
				reasons[t] = why
			}
		}
	}
	seeds := w.G.AffectedByFiles(what.Paths, what.NestedDirs)
	if c.Kind != Affected {
		locked, err := w.lockedOtherwise(ctx, what, r)
		if err != nil {
			return err
		}
		give(locked, IsAffected)
	}
	give(seeds, IsAffected)
	if c.Kind == Affected {
		defined, err := w.redefined(ctx, what, r)
		if err != nil {
			return err
		}
		give(defined, IsDefinition)
		give(w.G.Downstream(append(seeds, defined...)), IsDownstream)
		r.Notes = append(r.Notes, baseNote(what.Base))
	}
	for _, text := range what.Warnings {
		r.Warnings = append(r.Warnings, diag.Diagnostic{Severity: diag.Warning, Message: text})
	}
	candidates := r.Targets
	r.Targets, r.Reasons = nil, map[int]Reason{}
	for _, t := range candidates {
		if why, hit := reasons[t]; hit {
			r.Targets = append(r.Targets, t)
			r.Reasons[t] = why
		}
	}
	switch {
	case given:
		r.emptied(len(candidates), "none of the given tasks is affected by the changes")
	default:
		r.emptied(len(candidates), "no task is affected by the changes")
	}
	return nil
}

// baseNote says what was compared with, and what to do when that leaves nothing to compare.
func baseNote(b *git.Base) string {
	text := "compared with " + b.String()
	if b.IsHead && b.Name != "HEAD" {
		text += ", which is HEAD: only what is not committed counts; to count the last commit too: --base HEAD^"
	}
	return text
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
