package actors

import (
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/workspace"
)

// ProductDigest is what the keys of downstreams see of the outputs of a task that has a hit: what the entry holds, and sources
// that the task reads and writes, which lie in the tree as its key has them.
func ProductDigest(fn digest.Function, t *workspace.Task, at *key.Derived, held []entry.Output) digest.Digest {
	inputs := at.Sources(t)
	sources := make([]entry.Output, len(inputs))
	for i := range inputs {
		in := &inputs[i]
		sources[i] = entry.Source(in.Path, entry.OutputKind(in.Kind), in.Exec, in.Digest, in.LinkText)
	}
	return manifest.ProductDigest(fn, held, sources)
}
