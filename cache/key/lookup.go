package key

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
)

// Input looks a path up among the inputs of the key: the stat and the digest at key time of what lies there itself. For
// what is no regular file the digest is that of what it leads to, if anything.
func (at *Derived) Input(path string) (fsys.Info, digest.Digest, bool) {
	in, ok := at.find(path)
	if !ok {
		return fsys.Info{}, digest.Digest{}, false
	}
	return in.Info, in.Digest, true
}

func (at *Derived) find(path string) (*Input, bool) {
	i, ok := slices.BinarySearchFunc(at.Inputs, path, func(in Input, path string) int { return strings.Compare(in.Path, path) })
	if !ok {
		return nil, false
	}
	return &at.Inputs[i], true
}
