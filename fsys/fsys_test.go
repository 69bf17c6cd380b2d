package fsys_test

import (
	"errors"
	"io/fs"
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

// Of two that make one file, the first wins, and nothing else is left.
func TestWriteFileFirst(t *testing.T) {
	f := memfs.New()
	must(t, fsys.WriteFileFirst(f, "/x", []byte("first"), 0o600))
	if err := fsys.WriteFileFirst(f, "/x", []byte("second"), 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second one: %v", err)
	}
	if got := tree(t, f); got != `"/x" file 0600 "first"` {
		t.Error(got)
	}
}
