package fsystest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
)

var fileCases = []testCase{
	{"read, write, seek", func(t *testing.T, f fsys.FS) {
		x, err := f.Create("/x")
		ok(t, err)
		equal(t, "name", x.Name(), "/x")
		n, err := x.Write([]byte("hello world"))
		ok(t, err)
		equal(t, "written", n, 11)
		pos, err := x.Seek(-5, io.SeekEnd)
		ok(t, err)
		equal(t, "position", pos, 6)
		equal(t, "rest", readAll(t, x), "world")
		_, err = x.WriteAt([]byte("W"), 6)
		ok(t, err)
		_, err = x.Seek(0, io.SeekStart)
		ok(t, err)
		_, err = x.WriteString("H")
		ok(t, err)
		pos, err = x.Seek(0, io.SeekCurrent)
		ok(t, err)
		equal(t, "position", pos, 1)
		buf := make([]byte, 5)
		_, err = x.ReadAt(buf, 6)
		ok(t, err)
		equal(t, "part", string(buf), "World")
		n, err = x.ReadAt(buf, 9)
		equal(t, "end", err, io.EOF)
		equal(t, "bytes before the end", string(buf[:n]), "ld")
		_, err = x.Seek(-1, io.SeekStart)
		fails(t, err, syscall.EINVAL)
		ok(t, x.Sync())
		ok(t, x.Close())
		holds(t, f, "/x", "Hello World")
	}},
	{"holes and truncation", func(t *testing.T, f fsys.FS) {
		x, err := f.Create("/x")
		ok(t, err)
		_, err = x.WriteAt([]byte("b"), 4)
		ok(t, err)
		holds(t, f, "/x", "\x00\x00\x00\x00b")
		ok(t, x.Truncate(2))
		ok(t, x.Truncate(6))
		holds(t, f, "/x", "\x00\x00\x00\x00\x00\x00")
		_, err = x.WriteString("abc")
		ok(t, err)
		ok(t, x.Truncate(2))
		ok(t, x.Truncate(4))
		holds(t, f, "/x", "ab\x00\x00")
		fails(t, x.Truncate(-1), syscall.EINVAL)
		ok(t, x.Close())
	}},
	{"no file with an error", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		for name, open := range map[string]func() (afero.File, error){
			"Open":         func() (afero.File, error) { return f.Open("/no") },
			"OpenNoFollow": func() (afero.File, error) { return f.OpenNoFollow("/no") },
			"Create":       func() (afero.File, error) { return f.Create("/d") },
			"OpenFile":     func() (afero.File, error) { return f.OpenFile("/no", os.O_RDONLY, 0) },
			"OpenFile, writing": func() (afero.File, error) {
				return f.OpenFile("/no", os.O_WRONLY, 0)
			},
		} {
			if x, err := open(); x != nil || err == nil {
				t.Errorf("%s: %v, %v", name, x, err)
			}
		}
		if s, err := f.Sub("/no"); s != nil || err == nil {
			t.Errorf("Sub: %v, %v", s, err)
		}
		if l, err := fsys.TryLock(f, "/no/l", fsys.Shared); l != nil || err == nil {
			t.Errorf("TryLock: %v, %v", l, err)
		}
		if info, err := f.Stat("/no"); info != nil || err == nil {
			t.Errorf("Stat: %v, %v", info, err)
		}
	}},
	{"closed file", func(t *testing.T, f fsys.FS) {
		x, err := f.Create("/x")
		ok(t, err)
		ok(t, x.Close())
		_, err = x.Write([]byte("a"))
		fails(t, err, fs.ErrClosed)
		_, err = x.Read(make([]byte, 1))
		fails(t, err, fs.ErrClosed)
		_, err = fsys.FileInfo(x)
		fails(t, err, fs.ErrClosed)
		fails(t, x.Sync(), fs.ErrClosed)
		fails(t, x.Close(), fs.ErrClosed)
	}},
	{"ways to open", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		r, err := f.OpenFile("/x", os.O_RDONLY, 0)
		ok(t, err)
		_, err = r.Write([]byte("z"))
		fails(t, err, syscall.EBADF)
		fails(t, r.Truncate(0), syscall.EINVAL)
		ok(t, r.Close())
		w, err := f.OpenFile("/x", os.O_WRONLY, 0)
		ok(t, err)
		_, err = w.Read(make([]byte, 1))
		fails(t, err, syscall.EBADF)
		ok(t, w.Close())
		a, err := f.OpenFile("/x", os.O_WRONLY|os.O_APPEND, 0)
		ok(t, err)
		write(t, f, "/x", "longer")
		_, err = a.WriteString("!")
		ok(t, err)
		if _, err = a.WriteAt([]byte("z"), 0); err == nil {
			t.Error("WriteAt on a file opened for appending worked")
		}
		ok(t, a.Close())
		holds(t, f, "/x", "longer!")
		_, err = f.OpenFile("/x", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		fails(t, err, fs.ErrExist)
		_, err = f.OpenFile("/y", os.O_WRONLY, 0o644)
		fails(t, err, fs.ErrNotExist)
		_, err = f.OpenFile("/y", os.O_WRONLY|os.O_CREATE, 0o644|fs.ModeSetuid)
		fails(t, err, syscall.EINVAL)
		absent(t, f, "/y")
		w, err = f.OpenFile("/y", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		ok(t, err)
		ok(t, w.Close())
		equal(t, "perm", lstat(t, f, "/y").Perm, 0o600)
	}},
	{"directories as files", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		_, err := f.OpenFile("/d", os.O_WRONLY, 0)
		fails(t, err, syscall.EISDIR)
		_, err = f.Create("/d")
		fails(t, err, syscall.EISDIR)
		_, err = f.Create("/")
		fails(t, err, syscall.EISDIR)
		d, err := f.Open("/d")
		ok(t, err)
		_, err = d.Read(make([]byte, 1))
		fails(t, err, syscall.EISDIR)
		ok(t, d.Sync())
		ok(t, d.Close())
		write(t, f, "/x", "")
		x, err := f.Open("/x")
		ok(t, err)
		_, err = x.Readdirnames(-1)
		fails(t, err, syscall.ENOTDIR)
		ok(t, x.Close())
	}},
	{"a removed file lives while it is open", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		write(t, f, "/other", "new")
		r, err := f.Open("/x")
		ok(t, err)
		defer r.Close()
		inode := lstat(t, f, "/x").Inode
		ok(t, f.Rename("/other", "/x"))
		equal(t, "data", readAll(t, r), "abc")
		info, err := fsys.FileInfo(r)
		ok(t, err)
		equal(t, "names", info.Nlink, 0)
		equal(t, "inode", info.Inode, inode)
		holds(t, f, "/x", "new")
	}},
	{"nobody waits at a FIFO", func(t *testing.T, f fsys.FS) {
		fifo(t, f, "/fifo")
		r, err := f.Open("/fifo")
		ok(t, err)
		ok(t, r.Close())
		_, err = f.OpenFile("/fifo", os.O_WRONLY, 0)
		fails(t, err, syscall.ENXIO)
	}},
}

var writeCases = []testCase{
	{"no file without its directory", func(t *testing.T, f fsys.FS) {
		_, err := f.Create("/no/x")
		fails(t, err, fs.ErrNotExist)
		fails(t, f.Mkdir("/no/d", 0o755), fs.ErrNotExist)
		fails(t, f.Symlink("x", "/no/l"), fs.ErrNotExist)
		write(t, f, "/x", "")
		_, err = f.Create("/x/y")
		fails(t, err, syscall.ENOTDIR)
		fails(t, f.MkdirAll("/x/y/z", 0o755), syscall.ENOTDIR)
		if f.MkdirAll("/x", 0o755) == nil {
			t.Error("MkdirAll over a file worked")
		}
		equal(t, "tree", snap(t, f), `"/x" file 0644 ""`)
	}},
	{"Mkdir and MkdirAll", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/a")
		fails(t, f.Mkdir("/a", 0o755), fs.ErrExist)
		fails(t, f.Mkdir("/", 0o755), fs.ErrExist)
		ok(t, f.MkdirAll("/", 0o755))
		ok(t, f.MkdirAll("/a", 0o755))
		ok(t, f.MkdirAll("/a/b/c", 0o700))
		symlink(t, f, "a/b", "/l")
		ok(t, f.MkdirAll("/l/d/e", 0o755))
		ok(t, f.MkdirAll("/l", 0o755))
		symlink(t, f, "no", "/dangling")
		if f.MkdirAll("/dangling", 0o755) == nil {
			t.Error("MkdirAll made the target of a dangling link")
		}
		equal(t, "tree", snap(t, f), strings.Join([]string{
			`"/a" dir 0755`, `"/a/b" dir 0700`, `"/a/b/c" dir 0700`, `"/a/b/d" dir 0755`, `"/a/b/d/e" dir 0755`,
			`"/dangling" link "no"`, `"/l" link "a/b"`}, "\n"))
	}},
	{"Remove", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/d/x", "")
		symlink(t, f, "d", "/l")
		fails(t, f.Remove("/d"), syscall.ENOTEMPTY)
		fails(t, f.Remove("/no"), fs.ErrNotExist)
		fails(t, f.Remove("/d/x/y"), syscall.ENOTDIR)
		fails(t, f.Remove("/"), syscall.EBUSY)
		ok(t, f.Remove("/l")) // the link, not the directory
		ok(t, f.Remove("/d/x"))
		ok(t, f.Remove("/d"))
		equal(t, "tree", snap(t, f), "")
	}},
	{"RemoveAll", func(t *testing.T, f fsys.FS) {
		ok(t, f.MkdirAll("/d/e/f", 0o755))
		write(t, f, "/d/e/x", "")
		mkdir(t, f, "/keep")
		write(t, f, "/keep/x", "")
		symlink(t, f, "../keep", "/d/l")
		symlink(t, f, "keep", "/l")
		ok(t, f.RemoveAll("/d"))
		ok(t, f.RemoveAll("/l"))
		ok(t, f.RemoveAll("/no"))
		ok(t, f.RemoveAll("/no/no"))
		fails(t, f.RemoveAll("/"), syscall.EBUSY)
		equal(t, "tree", snap(t, f), `"/keep" dir 0755`+"\n"+`"/keep/x" file 0644 ""`)
		ok(t, f.RemoveAll("/keep/x"))
		absent(t, f, "/keep/x")
	}},
	{"Chmod", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "")
		mkdir(t, f, "/d")
		symlink(t, f, "x", "/l")
		for _, m := range []fs.FileMode{0o600, 0o755, 0, 0o777, fs.ModeSetuid | 0o755, fs.ModeSetuid | fs.ModeSetgid | 0o711} {
			ok(t, f.Chmod("/l", m)) // follows
			info, err := f.Stat("/x")
			ok(t, err)
			equal(t, "mode", info.Mode(), m)
			equal(t, "perm", lstat(t, f, "/x").Perm, fsys.ModePerm(m))
		}
		ok(t, f.Chmod("/d", fs.ModeSticky|0o777))
		equal(t, "perm", lstat(t, f, "/d").Perm, 0o1777)
		info, err := f.Stat("/d")
		ok(t, err)
		equal(t, "mode", info.Mode(), fs.ModeDir|fs.ModeSticky|0o777)
		equal(t, "kind of the link", lstat(t, f, "/l").Kind, fsys.Link)
		fails(t, f.Chmod("/no", 0o644), fs.ErrNotExist)
	}},
	{"Chown to oneself", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "")
		ok(t, f.Chown("/x", os.Getuid(), os.Getgid()))
		fails(t, f.Chown("/no", os.Getuid(), os.Getgid()), fs.ErrNotExist)
	}},
	{"Chtimes", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "")
		symlink(t, f, "x", "/l")
		when := time.Unix(1_000_000_007, 123_456_789)
		ok(t, f.Chtimes("/l", when, when))
		equal(t, "mtime", lstat(t, f, "/x").MTime, when.UnixNano())
		ok(t, f.Chtimes("/x", when.Add(time.Hour), time.Time{})) // the zero time leaves it
		equal(t, "mtime", lstat(t, f, "/x").MTime, when.UnixNano())
		info, err := f.Stat("/x")
		ok(t, err)
		equal(t, "mtime", info.ModTime().Equal(when), true)
	}},
	{"CloneFile", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		mkdir(t, f, "/d")
		symlink(t, f, "x", "/l")
		if err := f.CloneFile("/l", "/c", 0o600); err != nil {
			absent(t, f, "/c") // it may not work, but then leaves nothing
		} else {
			holds(t, f, "/c", "abc")
			equal(t, "perm", lstat(t, f, "/c").Perm, 0o600)
			overwrite := func(name, data string) {
				w, err := f.OpenFile(name, os.O_WRONLY, 0)
				ok(t, err)
				_, err = w.WriteString(data)
				ok(t, err)
				ok(t, w.Close())
			}
			overwrite("/x", "X") // in place, which the other does not see
			holds(t, f, "/x", "Xbc")
			holds(t, f, "/c", "abc")
			overwrite("/c", "CC")
			holds(t, f, "/x", "Xbc")
			holds(t, f, "/c", "CCc")
		}
		write(t, f, "/there", "old")
		if f.CloneFile("/x", "/there", 0o600) == nil {
			t.Error("CloneFile wrote over a file")
		}
		holds(t, f, "/there", "old")
		for _, src := range []string{"/no", "/d"} {
			if f.CloneFile(src, "/e", 0o600) == nil {
				t.Errorf("CloneFile copied %s", src)
			}
			absent(t, f, "/e")
		}
	}},
	{"many at once", func(t *testing.T, f fsys.FS) {
		const workers = 8
		done := make(chan error, workers)
		for w := range workers {
			go func() {
				done <- func() error {
					for i := range 50 {
						dir := fmt.Sprintf("/d/%d", i)
						if err := f.MkdirAll(dir, 0o755); err != nil {
							return err
						}
						name := fmt.Sprintf("%s/%d", dir, w)
						if err := fsys.WriteFileAtomic(f, name, []byte(name), 0o644); err != nil {
							return err
						}
						data, _, err := f.ReadFile(name, 0)
						if err != nil {
							return err
						}
						if string(data) != name {
							return errors.New("read " + string(data) + ", wrote " + name)
						}
						if _, err := f.List("/d"); err != nil {
							return err
						}
					}
					return nil
				}()
			}()
		}
		for range workers {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		equal(t, "directories", len(list(t, f, "/d")), 50)
		equal(t, "files", len(list(t, f, "/d/49")), workers)
	}},
}

var atomicCases = []testCase{
	{"WriteFileAtomic", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		ok(t, fsys.WriteFileAtomic(f, "/d/x", []byte("1"), 0o600))
		holds(t, f, "/d/x", "1")
		equal(t, "perm", lstat(t, f, "/d/x").Perm, 0o600)
		before := lstat(t, f, "/d/x")
		ok(t, fsys.WriteFileAtomic(f, "d/x", []byte("22"), 0o755))
		holds(t, f, "/d/x", "22")
		equal(t, "a new file", before.Inode != lstat(t, f, "/d/x").Inode, true)
		symlink(t, f, "x", "/d/l")
		ok(t, fsys.WriteFileAtomic(f, "/d/l", nil, 0o644)) // replaces the link
		holds(t, f, "/d/l", "")
		holds(t, f, "/d/x", "22")
		long := "/d/" + strings.Repeat("n", 255)
		ok(t, fsys.WriteFileAtomic(f, long, []byte("long"), 0o644))
		holds(t, f, long, "long")
		equal(t, "entries", len(list(t, f, "/d")), 3)
	}},
	{"a failure leaves nothing", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d", "/d/x")
		fails(t, fsys.WriteFileAtomic(f, "/d/x", []byte("1"), 0o600), syscall.EISDIR, syscall.EEXIST)
		fails(t, fsys.WriteFileAtomic(f, "/no/x", []byte("1"), 0o600), fs.ErrNotExist)
		fails(t, fsys.WriteFileAtomic(f, "/", []byte("1"), 0o600), syscall.EISDIR)
		equal(t, "tree", snap(t, f), `"/d" dir 0755`+"\n"+`"/d/x" dir 0755`)
	}},
	{"siblings that are there", func(t *testing.T, f fsys.FS) {
		for range 2 {
			write(t, f, "/.x.haz-tmp0", "somebody's")
			write(t, f, "/.x.haz-tmp1", "somebody's")
			ok(t, fsys.WriteFileAtomic(f, "/x", []byte("1"), 0o644))
		}
		holds(t, f, "/x", "1")
		holds(t, f, "/.x.haz-tmp0", "somebody's")
		equal(t, "entries", len(list(t, f, "/")), 3)
	}},
}
