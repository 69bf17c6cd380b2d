package key

import (
	"context"
	"errors"
	"slices"

	"github.com/haz-build/haz/fsys/glob"
	"github.com/haz-build/haz/workspace"
)

// Moved walks the input patterns again and compares with key time (S-23). It returns the workspace paths that were added,
// removed or changed, sorted; those for which exempt (may be nil) is true are left out: own outputs that the task wrote.
//
// Inputs are compared by their stat. One that was too young at key time for this to prove anything is digested again. The
// listings of the Tree are not used: they are of key time. The error is *Error or ctx.Err().
func (d *Deriver) Moved(ctx context.Context, t *workspace.Task, at *Derived, exempt func(path string) bool) ([]string, error) {
	if len(t.Inputs) == 0 {
		return nil, ctx.Err()
	}
	tree := glob.NewTree(d.o.FS)
	matches, missing, err := tree.Inputs(ctx, workspace.Patterns(t.Inputs), workspace.Patterns(t.Exclude))
	if err != nil {
		return nil, walkError(ctx, err)
	}
	var moved []string
	note := func(path string) {
		if exempt == nil || !exempt(path) {
			moved = append(moved, path)
		}
	}
	// A literal that is gone was an input at key time, so it is found as removed below; but not when it is one now only.
	for _, p := range missing {
		if _, was := at.find(p.String()); !was {
			note(p.String())
		}
	}
	was := at.Inputs
	for i := range matches {
		now, ok := newInput(&matches[i])
		if !ok {
			continue
		}
		for len(was) > 0 && was[0].Path < now.Path {
			note(was[0].Path)
			was = was[1:]
		}
		if len(was) == 0 || was[0].Path != now.Path {
			note(now.Path)
			continue
		}
		changed, err := d.changed(ctx, &was[0], &now)
		if err != nil {
			return nil, err
		}
		if changed {
			note(now.Path)
		}
		was = was[1:]
	}
	for i := range was {
		note(was[i].Path)
	}
	slices.Sort(moved)
	return slices.Compact(moved), nil
}

// changed compares an input with key time.
func (d *Deriver) changed(ctx context.Context, was, now *Input) (bool, error) {
	if was.Kind != now.Kind || was.LinkText != now.LinkText || was.Target != now.Target || !was.Info.Same(now.Info) ||
		!was.TargetInfo.Same(now.TargetInfo) {
		return true, nil
	}
	if was.Sure {
		return false, nil
	}
	if err := d.digest(ctx, now); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return true, nil // it could be read at key time
		}
		return false, err
	}
	return was.Digest != now.Digest || was.Exec != now.Exec || !was.content().Same(*now.content()), nil
}
