package outputs

import (
	"context"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
)

// Lying is the digest of all that lies at the outputs of a task, whoever made it; zero: nothing does. Whoever depends on a task that is
// not carried out can read it. The error is that of ctx, of a walk, or of a file that cannot be read.
func Lying(ctx context.Context, fs fsys.FS, st *state.State, fn digest.Function, patterns []pattern.Pattern) (digest.Digest, error) {
	if len(patterns) == 0 {
		return digest.Digest{}, nil
	}
	found, err := tree.New(fs).Outputs(ctx, patterns)
	if err != nil {
		return digest.Digest{}, walkError(ctx, err)
	}
	var lie []entry.Output
	for i := range found.Matches {
		m := &found.Matches[i]
		switch m.Info.Kind {
		case fsys.File:
			d, _, err := st.DigestFile(ctx, m.Path, m.Info)
			if fsys.LeadsNowhere(err) {
				continue // it is gone by now
			}
			if err != nil {
				return digest.Digest{}, err
			}
			lie = append(lie, entry.Source(m.Path, entry.File, m.Info.Perm&0o100 != 0, d, ""))
		case fsys.Link:
			lie = append(lie, entry.Source(m.Path, entry.Link, false, digest.Digest{}, m.LinkText))
		case fsys.Dir:
			lie = append(lie, entry.Source(m.Path, entry.Dir, false, digest.Digest{}, ""))
		}
	}
	if len(lie) == 0 {
		return digest.Digest{}, nil
	}
	return manifest.OutputsDigest(fn, lie), nil
}
