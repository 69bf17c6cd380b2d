package fsys_test

import (
	"errors"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/fsystest"
	"github.com/haz-build/haz/fsys/memfs"
)

func TestMemoryConforms(t *testing.T) {
	fsystest.Run(t, func(t *testing.T) fsys.FS { return memfs.New() })
}

func TestHostConforms(t *testing.T) {
	fsystest.Run(t, func(t *testing.T) fsys.FS { return openHost(t, t.TempDir()) })
}

func openHost(t testing.TB, dir string) fsys.FS {
	t.Helper()
	f, err := fsys.Host(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}
