package fsystest

import (
	"io/fs"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/fsys"
)

var renameCases = []testCase{
	{"file onto file", func(t *testing.T, f fsys.FS) {
		write(t, f, "/a", "1")
		write(t, f, "/b", "2")
		inode := lstat(t, f, "/a").Inode
		ok(t, f.Rename("/a", "/b"))
		holds(t, f, "/b", "1")
		absent(t, f, "/a")
		equal(t, "inode", lstat(t, f, "/b").Inode, inode)
		ok(t, f.Rename("/b", "/b"))
		holds(t, f, "/b", "1")
	}},
	{"directory onto empty directory", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/a/in", 0o755))
		mkdir(t, f, "/b")
		ok(t, f.Rename("/a", "/b"))
		equal(t, "tree", snap(t, f), `"/b" dir 0755`+"\n"+`"/b/in" dir 0755`)
	}},
	{"what does not go", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/d/in", 0o755))
		ok(t, f.MkdirAll("/full/in", 0o755))
		mkdir(t, f, "/empty")
		write(t, f, "/x", "1")
		symlink(t, f, "d", "/l")
		before := snap(t, f)
		fails(t, f.Rename("/empty", "/full"), syscall.ENOTEMPTY, syscall.EEXIST)
		fails(t, f.Rename("/d", "/x"), syscall.ENOTDIR)
		fails(t, f.Rename("/d", "/l"), syscall.ENOTDIR)
		fails(t, f.Rename("/x", "/empty"), syscall.EISDIR, syscall.EEXIST)
		fails(t, f.Rename("/x", "/full"), syscall.EISDIR, syscall.EEXIST)
		fails(t, f.Rename("/l", "/empty"), syscall.EISDIR, syscall.EEXIST)
		fails(t, f.Rename("/d", "/d/in/d"), syscall.EINVAL)
		fails(t, f.Rename("/d", "/d/in"), syscall.EINVAL, syscall.ENOTEMPTY)
		fails(t, f.Rename("/d/in", "/d"), syscall.ENOTEMPTY, syscall.EEXIST)
		fails(t, f.Rename("/no", "/y"), fs.ErrNotExist)
		fails(t, f.Rename("/x", "/no/y"), fs.ErrNotExist)
		fails(t, f.Rename("/x", "/x/y"), syscall.ENOTDIR)
		fails(t, f.Rename("/x/y", "/y"), syscall.ENOTDIR)
		fails(t, f.Rename("/", "/y"), syscall.EBUSY)
		fails(t, f.Rename("/x", "/"), syscall.EBUSY)
		equal(t, "tree", snap(t, f), before)
	}},
	{"links are moved, not followed", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/x", "1")
		symlink(t, f, "x", "/l")
		ok(t, f.Rename("/l", "/d/l"))
		text, err := f.Readlink("/d/l")
		ok(t, err)
		equal(t, "text", text, "x")
		symlink(t, f, "x", "/m")
		write(t, f, "/y", "2")
		ok(t, f.Rename("/y", "/m"))
		holds(t, f, "/x", "1")
		holds(t, f, "/m", "2")
		symlink(t, f, "d", "/tod")
		ok(t, f.Rename("/m", "/tod/m")) // but followed on the way
		holds(t, f, "/d/m", "2")
	}},
	{"into another root", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/a/in", 0o755))
		mkdir(t, f, "/b")
		write(t, f, "/a/in/x", "1")
		write(t, f, "/b/y", "2")
		a, b := sub(t, f, "/a"), sub(t, f, "/b")
		inode := lstat(t, a, "/in/x").Inode
		ok(t, a.RenameTo("/in/x", b, "/y"))
		holds(t, f, "/b/y", "1")
		absent(t, f, "/a/in/x")
		equal(t, "inode", lstat(t, b, "/y").Inode, inode)
		ok(t, a.RenameTo("/in", b, "/in"))
		equal(t, "kind", lstat(t, f, "/b/in").Kind, fsys.Dir)
		fails(t, a.RenameTo("/no", b, "/z"), fs.ErrNotExist)
		fails(t, b.RenameTo("/y", a, "/no/z"), fs.ErrNotExist)
		fails(t, b.RenameTo("/in", b, "/in/deep"), syscall.EINVAL)
		fails(t, b.RenameTo("/", a, "/z"), syscall.EBUSY)
		// Each name is held below its own root.
		symlink(t, b, "../a", "/out")
		fails(t, b.RenameTo("/y", b, "/out/y"), fsys.ErrOutside)
		fails(t, b.RenameTo("/out/in", a, "/y"), fsys.ErrOutside, fs.ErrNotExist)
		// And follows the directory, not its name.
		ok(t, f.Rename("/a", "/moved"))
		mkdir(t, f, "/a")
		ok(t, b.RenameTo("/y", a, "/z"))
		holds(t, f, "/moved/z", "1")
		absent(t, f, "/a/z")
	}},
	{"a moved directory keeps what is below", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/a/b/c", 0o755))
		write(t, f, "/a/b/c/x", "1")
		symlink(t, f, "../..", "/a/b/up")
		mkdir(t, f, "/z")
		s, err := f.Sub("/a/b")
		ok(t, err)
		defer s.Close()
		ok(t, f.Rename("/a/b", "/z/b"))
		holds(t, f, "/z/b/c/x", "1")
		holds(t, s, "/c/x", "1")
		write(t, s, "/c/y", "2")
		holds(t, f, "/z/b/c/y", "2")
		_, err = f.StatInfo("/z/b/up/z")
		ok(t, err)
	}},
}

// later does something again and again until get is greater than before: time stamps may be coarse.
func later(t *testing.T, what string, before int64, do func(), get func() int64) {
	t.Helper()
	for range 5000 {
		do()
		if get() > before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%s did not move on", what)
}

var infoCases = []testCase{
	{"of each kind", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		mkdir(t, f, "/d")
		symlink(t, f, "x", "/l")
		x, d, l := lstat(t, f, "/x"), lstat(t, f, "/d"), lstat(t, f, "/l")
		equal(t, "kind", x.Kind, fsys.File)
		equal(t, "perm", x.Perm, 0o644)
		equal(t, "size", x.Size, 3)
		equal(t, "names", x.Nlink, 1)
		equal(t, "kind", d.Kind, fsys.Dir)
		equal(t, "perm", d.Perm, 0o755)
		equal(t, "kind", l.Kind, fsys.Link)
		equal(t, "devices", x.Dev == d.Dev && d.Dev == l.Dev, true)
		equal(t, "inodes differ", x.Inode != d.Inode && d.Inode != l.Inode && x.Inode != l.Inode && x.Inode != 0, true)
		equal(t, "same", x.Same(lstat(t, f, "/x")), true)
		info, err := f.Stat("/x")
		ok(t, err)
		equal(t, "name", info.Name(), "x")
		equal(t, "size", info.Size(), 3)
		equal(t, "mode", info.Mode(), 0o644)
		equal(t, "dir", info.IsDir(), false)
		equal(t, "time", info.ModTime().UnixNano(), x.MTime)
		equal(t, "sys", info.Sys(), any(x))
		fifo(t, f, "/p")
		equal(t, "kind", lstat(t, f, "/p").Kind, fsys.Special)
		info, err = f.Stat("/p")
		ok(t, err)
		equal(t, "mode", info.Mode().Type(), fs.ModeNamedPipe)
	}},
	{"writing moves mtime and ctime", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		before := lstat(t, f, "/x")
		w, err := f.OpenFile("/x", os.O_WRONLY, 0)
		ok(t, err)
		defer w.Close()
		later(t, "mtime", before.MTime, func() {
			_, err := w.WriteAt([]byte("b"), 1)
			ok(t, err)
		}, func() int64 { return lstat(t, f, "/x").MTime })
		after := lstat(t, f, "/x")
		equal(t, "ctime moved", after.CTime > before.CTime, true)
		equal(t, "inode", after.Inode, before.Inode)
		equal(t, "same", after.Same(before), false)
	}},
	{"chmod, chtimes and second names move ctime alone", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		before := lstat(t, f, "/x")
		ctime := func() int64 { return lstat(t, f, "/x").CTime }
		later(t, "ctime at chmod", before.CTime, func() { ok(t, f.Chmod("/x", 0o600)) }, ctime)
		equal(t, "mtime", lstat(t, f, "/x").MTime, before.MTime)
		mtime := time.Unix(0, before.MTime)
		later(t, "ctime at chtimes", ctime(), func() { ok(t, f.Chtimes("/x", mtime, mtime)) }, ctime)
		equal(t, "mtime", lstat(t, f, "/x").MTime, before.MTime)
		later(t, "ctime at link", ctime(), func() {
			ok(t, f.RemoveAll("/y"))
			ok(t, f.Link("/x", "/y"))
		}, ctime)
		equal(t, "mtime", lstat(t, f, "/x").MTime, before.MTime)
	}},
	{"entries move the times of their directory", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d", "/e")
		at := func(dir string) func() int64 { return func() int64 { return lstat(t, f, dir).MTime } }
		later(t, "mtime at create", at("/d")(), func() {
			ok(t, f.RemoveAll("/d/x"))
			write(t, f, "/d/x", "")
		}, at("/d"))
		before := at("/d")()
		write(t, f, "/d/x", "longer")
		equal(t, "mtime at write", at("/d")(), before)
		later(t, "mtime at rename", at("/e")(), func() {
			ok(t, f.Rename("/d/x", "/e/x"))
			ok(t, f.Rename("/e/x", "/d/x"))
		}, at("/e"))
		later(t, "mtime at remove", at("/d")(), func() {
			write(t, f, "/d/y", "")
			ok(t, f.Remove("/d/y"))
		}, at("/d"))
	}},
	{"reading moves nothing", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/d/x", "abc")
		symlink(t, f, "x", "/d/l")
		x, d, l := lstat(t, f, "/d/x"), lstat(t, f, "/d"), lstat(t, f, "/d/l")
		holds(t, f, "/d/l", "abc")
		list(t, f, "/d")
		_, err := f.Readlink("/d/l")
		ok(t, err)
		equal(t, "file", lstat(t, f, "/d/x"), x)
		equal(t, "dir", lstat(t, f, "/d"), d)
		equal(t, "link", lstat(t, f, "/d/l"), l)
	}},
	{"rename keeps mtime, size and inode", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		before := lstat(t, f, "/x")
		ok(t, f.Rename("/x", "/y"))
		after := lstat(t, f, "/y")
		before.CTime, after.CTime = 0, 0 // may move
		equal(t, "info", after, before)
	}},
}
