package fsystest

import (
	"io/fs"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
)

// straight opens dir through no link.
func straight(t *testing.T, f fsys.FS, dir string) fsys.FS {
	t.Helper()
	s, err := fsys.HoldStraight(f, dir)
	ok(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var straightCases = []testCase{
	{"to a folder", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/a/b/c", 0o755))
		write(t, f, "/a/b/c/x", "1")
		holds(t, straight(t, f, "/a/b/c"), "/x", "1")
		holds(t, straight(t, f, "/"), "/a/b/c/x", "1")
		holds(t, straight(t, straight(t, f, "/a"), "/b"), "/c/x", "1")
	}},
	{"that moves", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/a/b/c", 0o755))
		s := straight(t, f, "/a/b")
		ok(t, f.Rename("/a/b", "/moved"))
		mkdir(t, f, "/a/b")
		write(t, s, "/c/y", "2")
		holds(t, f, "/moved/c/y", "2")
	}},
	{"through no link", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/a/b", 0o755))
		mkdir(t, f, "/d")
		write(t, f, "/a/x", "1")
		symlink(t, f, "a", "/l")
		symlink(t, f, "../a", "/d/l")
		symlink(t, f, "b", "/a/l")
		for _, dir := range []string{"/l", "/l/b", "/d/l/b", "/a/l", "/a/x", "/a/x/y"} {
			_, err := fsys.HoldStraight(f, dir)
			fails(t, err, syscall.ENOTDIR, syscall.ELOOP)
		}
		for _, dir := range []string{"/no", "/a/no", "/a/no/b"} {
			_, err := fsys.HoldStraight(f, dir)
			fails(t, err, fs.ErrNotExist)
		}
	}},
}
