package actors

import (
	"context"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
)

// Wanted reports whether the condition of a task holds (EXEC-047). A path that cannot be looked at is not there.
func Wanted(fs fsys.FS, os string, env func(string) (string, bool), t *workspace.Task) bool {
	return t.If.Holds(os, env, func(path string) bool {
		_, err := fs.Stat(path)
		return err == nil
	})
}

// Lying is the digest of what lies at the outputs of a task whose condition does not hold (EXEC-047): its downstreams can read it. Zero:
// nothing does. The error is a *key.Error, or that of ctx.
func Lying(ctx context.Context, fs fsys.FS, st *state.State, fn digest.Function, t *workspace.Task) (digest.Digest, error) {
	d, err := outputs.Lying(ctx, fs, st, fn, workspace.Patterns(t.Outputs))
	if err != nil && ctx.Err() == nil {
		err = &key.Error{Reason: "what lies at its outputs cannot be read, and its downstreams may read it", Err: err}
	}
	return d, err
}
