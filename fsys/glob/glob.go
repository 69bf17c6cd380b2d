// Package glob keeps the names under which hosts that start the engine themselves have known the walks of package tree: programs
// that were written against them go on compiling. New ones use tree.
package glob

import (
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
)

// Tree is tree.Tree.
type Tree = tree.Tree

// NewTree is tree.New.
func NewTree(fs fsys.FS) *Tree { return tree.New(fs) }
