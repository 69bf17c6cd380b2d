package fsys_test

import (
	"errors"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/fsystest"
)

func TestMemoryConforms(t *testing.T) {
	fsystest.Run(t, func(t *testing.T) fsys.FS { return fsys.Memory() })
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
