package faultfs_test

import (
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/fsystest"
)

func TestWithoutRulesConforms(t *testing.T) {
	fsystest.Run(t, func(t *testing.T) fsys.FS { return faultfs.New(fsys.Memory(), 0) })
}
