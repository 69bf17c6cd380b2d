package fsystest

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/fsys"
)

// unnamed makes a file without a name, where the file system knows of such.
func unnamed(t *testing.T, f fsys.FS, dir string, perm fs.FileMode) fsys.Unnamed {
	t.Helper()
	u, err := fsys.OpenUnnamed(f, dir, perm)
	if errors.Is(err, errors.ErrUnsupported) {
		fails(t, err, errors.ErrUnsupported)
		t.Skip("no files without names")
	}
	ok(t, err)
	t.Cleanup(func() { _ = u.Close() })
	return u
}

var unnamedCases = []testCase{
	{"nobody sees it before it has a name", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d", "/e")
		d, e := straight(t, f, "/d"), straight(t, f, "/e")
		u := unnamed(t, d, "/", 0o640)
		_, err := u.Write([]byte("ab"))
		ok(t, err)
		_, err = u.Write([]byte("c"))
		ok(t, err)
		equal(t, "in its folder", len(list(t, f, "/d")), 0)
		info, err := u.Info()
		ok(t, err)
		equal(t, "kind", info.Kind, fsys.File)
		equal(t, "size", info.Size, 3)
		equal(t, "perm", info.Perm, 0o640)
		ok(t, u.Chmod(0o751))
		at := time.Unix(1_700_000_000, 123_000_000)
		ok(t, u.Chtimes(at))
		ok(t, u.Name(e, "/x"))
		holds(t, f, "/e/x", "abc")
		there := lstat(t, f, "/e/x")
		equal(t, "perm", there.Perm, 0o751)
		equal(t, "mtime", there.MTime, at.UnixNano())
		equal(t, "names", there.Nlink, 1)
		equal(t, "inode", there.Inode, info.Inode)
		now, err := u.Info()
		ok(t, err)
		equal(t, "info of the open file", now, there)
		back := make([]byte, 2)
		_, err = u.ReadAt(back, 1)
		ok(t, err)
		equal(t, "read back", string(back), "bc")
		_, err = u.ReadAt(back, 2)
		equal(t, "at its end", err, io.EOF)
		ok(t, u.Close())
		holds(t, f, "/e/x", "abc")
		fails(t, u.Close(), fs.ErrClosed)
		_, err = u.Write([]byte("d"))
		fails(t, err, fs.ErrClosed)
		fails(t, u.Name(e, "/y"), fs.ErrClosed)
	}},
	{"it is gone without one", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		u := unnamed(t, f, "/d", 0o644)
		_, err := u.Write([]byte("abc"))
		ok(t, err)
		ok(t, u.Close())
		equal(t, "tree", snap(t, f), `"/d" dir 0755`)
	}},
	{"it takes no place of another", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d", "/d/in")
		write(t, f, "/d/x", "1")
		symlink(t, f, "nowhere", "/d/l")
		symlink(t, f, "/d", "/to")
		before := snap(t, f)
		u := unnamed(t, f, "/d", 0o644)
		for _, name := range []string{"/d/x", "/d/in", "/d/l", "/to"} {
			fails(t, u.Name(f, name), fs.ErrExist)
		}
		fails(t, u.Name(f, "/no/x"), fs.ErrNotExist)
		fails(t, u.Name(f, "/d/x/y"), syscall.ENOTDIR)
		fails(t, u.Name(f, "/"), syscall.EBUSY, fs.ErrExist, syscall.EXDEV)
		equal(t, "tree", snap(t, f), before)
	}},
	{"where it cannot be", func(t *testing.T, f fsys.FS) {
		unnamed(t, f, "/", 0o644)
		write(t, f, "/x", "1")
		_, err := fsys.OpenUnnamed(f, "/no", 0o644)
		fails(t, err, fs.ErrNotExist)
		_, err = fsys.OpenUnnamed(f, "/x", 0o644)
		fails(t, err, syscall.ENOTDIR)
		_, err = fsys.OpenUnnamed(f, "/", fs.ModeSetuid|0o755)
		fails(t, err, syscall.EINVAL)
		d := sub(t, f, "/gone")
		ok(t, f.Remove("/gone"))
		_, err = fsys.OpenUnnamed(d, "/", 0o644)
		fails(t, err, fs.ErrNotExist, errors.ErrUnsupported)
	}},
	{"below the root", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/out")
		s := sub(t, f, "/s")
		symlink(t, s, "../out", "/l")
		u := unnamed(t, s, "/", 0o644)
		fails(t, u.Name(s, "/l/x"), fsys.ErrOutside)
		absent(t, f, "/out/x")
	}},
}
