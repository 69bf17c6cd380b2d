package node_test

import (
	"testing"

	"github.com/haz-build/haz/workspace/infer/infertest"
	"github.com/haz-build/haz/workspace/infer/node"
)

func TestWorkspaces(t *testing.T) { infertest.Archives(t, node.Reader{}) }
