package fsystest

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/fsys"
)

var linkCases = []testCase{
	{"texts", func(t *testing.T, f fsys.FS) {
		for i, text := range []string{"x", "/x", "../..", "a//b/", ".", "no such", strings.Repeat("t", 300), "a\nb", "\xff"} {
			name := fmt.Sprintf("/l%d", i)
			symlink(t, f, text, name)
			got, err := f.Readlink(name)
			ok(t, err)
			equal(t, "text", got, text)
			info := lstat(t, f, name)
			equal(t, "kind", info.Kind, fsys.Link)
			equal(t, "size", info.Size, int64(len(text)))
		}
		fails(t, f.Symlink("", "/l"), fs.ErrNotExist)
		fails(t, f.Symlink("a\x00b", "/l"), syscall.EINVAL)
		fails(t, f.Symlink("x", "/l0"), fs.ErrExist)
		fails(t, f.Symlink("x", "/"), fs.ErrExist)
		write(t, f, "/file", "")
		_, err := f.Readlink("/file")
		fails(t, err, syscall.EINVAL)
		_, err = f.Readlink("/no")
		fails(t, err, fs.ErrNotExist)
	}},
	{"following", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/a/b", 0o755))
		write(t, f, "/a/b/x", "1")
		symlink(t, f, "b", "/a/tob")
		symlink(t, f, "a/tob/../b/./x", "/tox")
		symlink(t, f, "tox", "/totox")
		holds(t, f, "/totox", "1")
		holds(t, f, "/a/tob/x", "1")
		info, err := f.StatInfo("/totox")
		ok(t, err)
		equal(t, "info", info, lstat(t, f, "/a/b/x"))
		w, err := f.OpenFile("/totox", os.O_WRONLY|os.O_TRUNC, 0)
		ok(t, err)
		_, err = w.WriteString("22")
		ok(t, err)
		ok(t, w.Close())
		holds(t, f, "/a/b/x", "22")
		real, err := f.RealPath("/totox")
		ok(t, err)
		equal(t, "real path", real, "/a/b/x")
		real, err = f.RealPath("/a/tob")
		ok(t, err)
		equal(t, "real path", real, "/a/b")
		real, err = f.RealPath("/")
		ok(t, err)
		equal(t, "real path", real, "/")
		_, err = f.RealPath("/a/no")
		fails(t, err, fs.ErrNotExist)
		_, err = f.RealPath("/tox/y")
		fails(t, err, syscall.ENOTDIR)
	}},
	{"texts with a slash at the end or through a file", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/x", "")
		symlink(t, f, "d/", "/tod")
		symlink(t, f, "x/", "/tox")
		symlink(t, f, "x/../d", "/through")
		equal(t, "listing", len(list(t, f, "/tod")), 0)
		for _, name := range []string{"/tox", "/through"} {
			_, err := f.StatInfo(name)
			fails(t, err, syscall.ENOTDIR)
			_, err = f.RealPath(name)
			fails(t, err, syscall.ENOTDIR)
			_, _, err = f.ReadFile(name, 0)
			fails(t, err, syscall.ENOTDIR)
		}
	}},
	{"dangling", func(t *testing.T, f fsys.FS) {
		symlink(t, f, "x", "/l")
		_, err := f.StatInfo("/l")
		fails(t, err, fs.ErrNotExist)
		_, err = f.Stat("/l")
		fails(t, err, fs.ErrNotExist)
		_, err = f.OpenFile("/l", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		fails(t, err, fs.ErrExist)
		absent(t, f, "/x")
		write(t, f, "/l", "made") // creates what the link names
		holds(t, f, "/x", "made")
		fails(t, f.Mkdir("/l", 0o755), fs.ErrExist)
	}},
	{"loops", func(t *testing.T, f fsys.FS) {
		symlink(t, f, "b", "/a")
		symlink(t, f, "a", "/b")
		symlink(t, f, "self/x", "/self")
		for _, name := range []string{"/a", "/b/x", "/self"} {
			_, err := f.StatInfo(name)
			fails(t, err, syscall.ELOOP)
			_, _, err = f.ReadFile(name, 0)
			fails(t, err, syscall.ELOOP)
			_, err = f.RealPath(name)
			fails(t, err, syscall.ELOOP)
			_, err = f.List(name)
			fails(t, err, syscall.ELOOP)
			_, err = f.Create(name)
			fails(t, err, syscall.ELOOP)
		}
		equal(t, "kind", lstat(t, f, "/a").Kind, fsys.Link)
		ok(t, f.Remove("/a"))
	}},
	{"a long chain", func(t *testing.T, f fsys.FS) {
		write(t, f, "/l0", "end")
		for i := range 20 {
			symlink(t, f, fmt.Sprintf("l%d", i), fmt.Sprintf("/l%d", i+1))
		}
		holds(t, f, "/l20", "end")
	}},
	{"second names", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "1")
		mkdir(t, f, "/d")
		ok(t, f.Link("/x", "/d/y"))
		equal(t, "names", lstat(t, f, "/x").Nlink, 2)
		equal(t, "inode", lstat(t, f, "/d/y"), lstat(t, f, "/x"))
		write(t, f, "/d/y", "22")
		holds(t, f, "/x", "22")
		ok(t, f.Rename("/x", "/d/y")) // POSIX: does nothing
		holds(t, f, "/x", "22")
		fails(t, f.Link("/x", "/d/y"), fs.ErrExist)
		fails(t, f.Link("/d", "/e"), fs.ErrPermission)
		symlink(t, f, "x", "/l")
		ok(t, f.Link("/l", "/l2"))
		equal(t, "a link is not followed", lstat(t, f, "/l2").Kind, fsys.Link)
		ok(t, f.Remove("/x"))
		equal(t, "names", lstat(t, f, "/d/y").Nlink, 1)
	}},
}

var rootCases = []testCase{
	{"reading leaves the root", func(t *testing.T, f fsys.FS) {
		write(t, f, "/out", "1")
		mkdir(t, f, "/outdir")
		s := sub(t, f, "/root")
		symlink(t, s, "../out", "/l")
		symlink(t, s, "../outdir", "/d")
		symlink(t, s, f.HostPath("/out"), "/abs")
		write(t, f, "/outdir/y", "2")
		holds(t, s, "/l", "1")
		holds(t, s, "/abs", "1")
		holds(t, s, "/d/y", "2")
		equal(t, "listing", fmt.Sprint(list(t, s, "/d")), "[y 1]")
		for _, name := range []string{"/l", "/abs", "/d", "/d/y"} {
			_, err := s.RealPath(name)
			fails(t, err, fsys.ErrOutside)
			_, err = s.StatInfo(name)
			ok(t, err)
		}
		o, err := s.Sub("/d")
		ok(t, err)
		defer o.Close()
		write(t, o, "/z", "3") // a root of its own
		holds(t, f, "/outdir/z", "3")
	}},
	{"holding follows no link at the end", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/d/in", 0o755))
		symlink(t, f, "d", "/l")
		write(t, f, "/x", "1")
		h, err := f.Hold("/d")
		ok(t, err)
		defer h.Close()
		write(t, h, "/y", "2")
		holds(t, f, "/d/y", "2")
		for _, name := range []string{"/l", "/x"} {
			_, err := f.Hold(name)
			fails(t, err, syscall.ENOTDIR, syscall.ELOOP)
		}
		_, err = f.Hold("/no")
		fails(t, err, fs.ErrNotExist)
		in, err := f.Hold("/l/in") // but on the way there
		ok(t, err)
		defer in.Close()
		ok(t, f.Rename("/d", "/e"))
		symlink(t, f, "e", "/d")
		write(t, h, "/z", "3") // what is held is the directory, not its name
		holds(t, f, "/e/z", "3")
	}},
	{"writing does not", func(t *testing.T, f fsys.FS) {
		write(t, f, "/out", "1")
		mkdir(t, f, "/outdir", "/outdir/e")
		write(t, f, "/outdir/y", "2")
		s := sub(t, f, "/root")
		symlink(t, s, "../outdir", "/up")
		symlink(t, s, f.HostPath("/outdir"), "/abs")
		mkdir(t, s, "/d")
		symlink(t, s, "../../outdir", "/d/up")
		symlink(t, s, "d/up", "/deep")
		symlink(t, s, "../out", "/file")
		symlink(t, s, f.HostPath("/out"), "/absfile")
		symlink(t, s, "../new", "/dangling")
		symlink(t, s, "..", "/parent")
		write(t, s, "/x", "in")
		before := snap(t, f)
		try := func(what string, err error) {
			t.Helper()
			t.Log(what)
			fails(t, err, fsys.ErrOutside)
		}
		now := time.Unix(1e9, 0)
		for _, d := range []string{"/up", "/abs", "/d/up", "/deep", "/parent/outdir"} {
			_, err := s.Create(d + "/y")
			try("create", err)
			_, err = s.Create(d + "/new")
			try("create", err)
			_, err = s.OpenFile(d+"/y", os.O_WRONLY|os.O_APPEND, 0)
			try("append", err)
			_, err = fsys.TryLock(s, d+"/lock", fsys.Exclusive)
			try("lock", err)
			try("mkdir", s.Mkdir(d+"/new", 0o755))
			try("mkdirall", s.MkdirAll(d+"/new/deep", 0o755))
			try("remove", s.Remove(d+"/y"))
			try("remove dir", s.Remove(d+"/e"))
			try("removeall", s.RemoveAll(d+"/y"))
			try("rename out", s.Rename("/x", d+"/new"))
			try("rename in", s.Rename(d+"/y", "/new"))
			try("chmod", s.Chmod(d+"/y", 0o777))
			try("chmod dir", s.Chmod(d, 0o777))
			try("chtimes", s.Chtimes(d+"/y", now, now))
			try("symlink", s.Symlink("x", d+"/new"))
			try("atomic", fsys.WriteFileAtomic(s, d+"/y", []byte("bad"), 0o644))
			if s.CloneFile("/x", d+"/new", 0o644) == nil {
				t.Error("cloned out of the root")
			}
		}
		for _, l := range []string{"/file", "/absfile"} {
			_, err := s.Create(l)
			try("create", err)
			try("chmod", s.Chmod(l, 0o777))
			try("chtimes", s.Chtimes(l, now, now))
		}
		_, err := s.Create("/dangling")
		try("create", err)
		try("chmod", s.Chmod("/parent", 0o700))
		equal(t, "tree", snap(t, f), before)
	}},
	{"links themselves are inside", func(t *testing.T, f fsys.FS) {
		write(t, f, "/out", "1")
		s := sub(t, f, "/root")
		symlink(t, s, "../out", "/l")
		ok(t, s.Rename("/l", "/m"))
		write(t, s, "/x", "2")
		ok(t, s.Rename("/x", "/m")) // replaces the link
		holds(t, s, "/m", "2")
		symlink(t, s, "..", "/up")
		ok(t, s.Remove("/up"))
		symlink(t, s, "..", "/up")
		ok(t, s.RemoveAll("/up"))
		holds(t, f, "/out", "1")
	}},
	{"out and in again", func(t *testing.T, f fsys.FS) {
		s := sub(t, f, "/root")
		ok(t, s.MkdirAll("/d/e", 0o755))
		symlink(t, s, "../root/d", "/again")
		symlink(t, s, s.HostPath("/d"), "/abs")
		symlink(t, s, s.HostPath("/d/x1"), "/absfile")
		for i, d := range []string{"/again", "/abs"} {
			name := fmt.Sprintf("%s/x%d", d, i)
			write(t, s, name, "1")
			holds(t, s, fmt.Sprintf("/d/x%d", i), "1")
			ok(t, s.MkdirAll(d+"/f/g/h", 0o755))
			ok(t, s.RemoveAll(d+"/f"))
			ok(t, s.Rename(name, d+"/e/y"))
			ok(t, s.Rename(d+"/e/y", name))
			_, err := s.Create(d + "/no/x")
			fails(t, err, fs.ErrNotExist)
			symlink(t, s, "e", d+"/l")
			ok(t, s.Rename(d+"/l", d+"/m")) // the link, not what it leads to
			equal(t, "kind", lstat(t, s, "/d/m").Kind, fsys.Link)
			ok(t, s.Remove(d+"/m"))
			equal(t, "kind", lstat(t, s, "/d/e").Kind, fsys.Dir)
		}
		write(t, s, "/absfile", "changed")
		holds(t, s, "/d/x1", "changed")
		ok(t, s.Chmod("/absfile", 0o600))
		equal(t, "perm", lstat(t, s, "/d/x1").Perm, 0o600)
	}},
	{"absolute texts start outside", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/d/x", "1")
		s := sub(t, f, "/root")
		mkdir(t, s, "/d")
		write(t, s, "/d/x", "inner")
		symlink(t, s, f.HostPath("/d"), "/l")
		holds(t, s, "/l/x", "1")
	}},
	{"Sub", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "")
		symlink(t, f, "no", "/l")
		_, err := f.Sub("/x")
		fails(t, err, syscall.ENOTDIR)
		_, err = f.Sub("/l")
		fails(t, err, fs.ErrNotExist)
		s := sub(t, f, "/a")
		write(t, s, "/y", "1")
		holds(t, f, "/a/y", "1")
		write(t, f, "/a/z", "2")
		holds(t, s, "/z", "2")
		ss := sub(t, s, "/b")
		write(t, ss, "/w", "3")
		holds(t, f, "/a/b/w", "3")
		fails(t, s.Remove("/"), syscall.EBUSY)
		fails(t, s.Rename("/b", "/"), syscall.EBUSY)
		fails(t, s.Rename("/", "/b"), syscall.EBUSY)
	}},
	{"a removed root", func(t *testing.T, f fsys.FS) {
		s := sub(t, f, "/a")
		ok(t, f.Remove("/a"))
		_, err := s.Create("/x")
		if err == nil {
			t.Error("made a file in a removed directory")
		}
		if s.Mkdir("/x", 0o755) == nil {
			t.Error("made a directory in a removed directory")
		}
		absent(t, s, "/x")
	}},
}
