package fsystest

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
)

var nameCases = []testCase{
	{"spellings of one name", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/d/x", "1")
		for _, name := range []string{"/d/x", "d/x", "./d/x", "//d//x", "/d/./x", "/d/../d/x", "/../d/x", "/d/x/", "no/../d/x"} {
			holds(t, f, name, "1")
		}
		for _, name := range []string{"", ".", "/", "/..", "d/.."} {
			equal(t, fmt.Sprintf("kind of %q", name), lstat(t, f, name).Kind, fsys.Dir)
			equal(t, fmt.Sprintf("listing of %q", name), strings.Join(list(t, f, name), ","), "d 2")
		}
	}},
	{"bytes that are no text", func(t *testing.T, f fsys.FS) {
		for _, base := range []string{"a\nb", "\xff\xfe", "*?[", "-", " ", "ä", "\x01", `\`, strings.Repeat("x", 255)} {
			mkdir(t, f, "/"+base)
			write(t, f, "/"+base+"/"+base, base)
			holds(t, f, "/"+base+"/"+base, base)
			equal(t, "listing", strings.Join(list(t, f, "/"+base), ","), base+" 1")
			symlink(t, f, base+"/"+base, "/link")
			text, err := f.Readlink("/link")
			ok(t, err)
			equal(t, "text", text, base+"/"+base)
			holds(t, f, "/link", base)
			real, err := f.RealPath("/link")
			ok(t, err)
			equal(t, "real path", real, "/"+base+"/"+base)
			ok(t, f.RemoveAll("/"+base))
			ok(t, f.Remove("/link"))
		}
	}},
	{"impossible names", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "")
		for _, c := range []struct {
			name string
			want error
		}{
			{"/a\x00b", syscall.EINVAL}, {"/" + strings.Repeat("x", 256), syscall.ENAMETOOLONG},
			{strings.Repeat("/y", 2500), syscall.ENAMETOOLONG}, {"/x/y", syscall.ENOTDIR}, {"/no/y", syscall.ENOENT},
		} {
			_, err := f.Lstat(c.name)
			fails(t, err, c.want)
			_, err = f.Open(c.name)
			fails(t, err, c.want)
			_, _, err = f.ReadFile(c.name, 0)
			fails(t, err, c.want)
			_, err = f.List(c.name)
			fails(t, err, c.want)
			if len(c.name) < 4000 { // writing walks down one by one, so a long name is one that does not exist
				_, err = f.Create(c.name)
				fails(t, err, c.want)
				fails(t, f.Mkdir(c.name, 0o755), c.want)
				fails(t, f.Symlink("x", c.name), c.want)
				fails(t, f.Rename("/x", c.name), c.want)
			}
		}
		equal(t, "tree", snap(t, f), `"/x" file 0644 ""`)
	}},
	{"host paths", func(t *testing.T, f fsys.FS) {
		s := sub(t, f, "/a/b")
		equal(t, "path", s.HostPath("/c"), f.HostPath("/a/b/c"))
		equal(t, "root", s.HostPath("/"), f.HostPath("/a/b"))
		equal(t, "root", s.HostPath("."), f.HostPath("/a/b/"))
	}},
	{"errors say the name", func(t *testing.T, f fsys.FS) {
		_, err := f.Lstat("no/such")
		equal(t, "error", strings.Contains(err.Error(), " /no/such: "), true)
		_, err = f.Create("no/such")
		equal(t, "error", strings.Contains(err.Error(), " /no/such: "), true)
		err = f.Rename("no/such", "there")
		equal(t, "error", strings.Contains(err.Error(), " /no/such /there: "), true)
	}},
}

var readCases = []testCase{
	{"ReadFile", func(t *testing.T, f fsys.FS) {
		for _, size := range []int{0, 1, 511, 512, 513, 4096, 100_000} {
			data := strings.Repeat("ab\x00", size)[:size]
			write(t, f, "/x", data)
			holds(t, f, "/x", data)
			got, info, err := f.ReadFile("/x", max(int64(size), 1))
			ok(t, err)
			equal(t, "data", string(got), data)
			equal(t, "info", info, lstat(t, f, "/x"))
			if size > 1 {
				_, _, err = f.ReadFile("/x", int64(size)-1)
				fails(t, err, fsys.ErrTooLong)
			}
		}
		symlink(t, f, "x", "/l")
		holds(t, f, "/l", strings.Repeat("ab\x00", 100_000)[:100_000])
	}},
	{"ReadStart", func(t *testing.T, f fsys.FS) {
		symlink(t, f, "x", "/l")
		for _, size := range []int{0, 1, 99, 100, 101, 100_000} {
			data := strings.Repeat("ab\x00", size)[:size]
			write(t, f, "/x", data)
			for _, name := range []string{"/x", "/l"} {
				into := make([]byte, 100)
				n, whole, err := f.ReadStart(name, into)
				ok(t, err)
				equal(t, "data", string(into[:n]), data[:min(size, 100)])
				equal(t, "whole", whole, size <= 100)
			}
		}
	}},
	{"ReadStarts", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		mkdir(t, f, "/d/sub")
		fifo(t, f, "/d/fifo")
		symlink(t, f, "no", "/d/dangling")
		symlink(t, f, "b", "/d/link")
		for name, data := range map[string]string{"a": "", "b": "12345", "c": "1234567", "not": "asked for"} {
			write(t, f, "/d/"+name, data)
		}
		var all []string
		got := map[string]string{}
		into := make([]byte, 5)
		ok(t, fsys.ReadStarts(f, "/d", into, func(entries []fsys.Entry) []fsys.Entry {
			all = fsys.Names(entries)
			return slices.DeleteFunc(entries, func(e fsys.Entry) bool { return e.Name == "not" })
		}, func(e fsys.Entry, n int, whole bool, err error) {
			got[e.Name] = fmt.Sprintf("%s %v %v", into[:n], whole, err == nil)
		}))
		slices.Sort(all)
		equal(t, "entries", strings.Join(all, " "), "a b c dangling fifo link not sub")
		want := map[string]string{"a": " true true", "b": "12345 true true", "link": "12345 true true", "c": "12345 false true",
			"sub": " false false", "fifo": " false false", "dangling": " false false"}
		equal(t, "read", fmt.Sprint(got), fmt.Sprint(want))
		fails(t, fsys.ReadStarts(f, "/no", into, nil, nil), fs.ErrNotExist)
		fails(t, fsys.ReadStarts(f, "/d/a", into, nil, nil), syscall.ENOTDIR)
	}},
	{"ReadStart reads nothing but files", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		symlink(t, f, "no", "/dangling")
		fifo(t, f, "/fifo")
		for name, want := range map[string]error{"/d": syscall.EISDIR, "/no": fs.ErrNotExist, "/dangling": fs.ErrNotExist, "/fifo": fsys.ErrNotRegular} {
			n, whole, err := f.ReadStart(name, make([]byte, 10))
			fails(t, err, want)
			equal(t, "bytes", n, 0)
			equal(t, "whole", whole, false)
		}
	}},
	{"ReadFile gives bytes of one's own", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		data, _, err := f.ReadFile("/x", 0)
		ok(t, err)
		copy(data, "xyz")
		holds(t, f, "/x", "abc")
	}},
	{"ReadFile reads nothing but files", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		symlink(t, f, "no", "/dangling")
		symlink(t, f, "d", "/todir")
		_, _, err := f.ReadFile("/d", 0)
		fails(t, err, syscall.EISDIR)
		_, _, err = f.ReadFile("/todir", 0)
		fails(t, err, syscall.EISDIR)
		_, _, err = f.ReadFile("/no", 0)
		fails(t, err, fs.ErrNotExist)
		_, _, err = f.ReadFile("/dangling", 0)
		fails(t, err, fs.ErrNotExist)
		fifo(t, f, "/fifo")
		symlink(t, f, "fifo", "/tofifo")
		_, _, err = f.ReadFile("/fifo", 0) // and does not wait
		fails(t, err, fsys.ErrNotRegular)
		_, _, err = f.ReadFile("/tofifo", 0)
		fails(t, err, fsys.ErrNotRegular)
	}},
	{"OpenNoFollow", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		mkdir(t, f, "/d")
		symlink(t, f, "x", "/l")
		symlink(t, f, ".", "/here")
		r, err := f.OpenNoFollow("/here/x")
		ok(t, err)
		equal(t, "data", readAll(t, r), "abc")
		info, err := fsys.FileInfo(r)
		ok(t, err)
		equal(t, "info", info, lstat(t, f, "/x"))
		ok(t, r.Close())
		_, err = f.OpenNoFollow("/l")
		fails(t, err, syscall.ELOOP)
		_, err = f.OpenNoFollow("/d")
		fails(t, err, syscall.EISDIR)
		_, err = f.OpenNoFollow("/no")
		fails(t, err, fs.ErrNotExist)
		fifo(t, f, "/fifo")
		_, err = f.OpenNoFollow("/fifo")
		fails(t, err, fsys.ErrNotRegular)
	}},
	{"List", func(t *testing.T, f fsys.FS) {
		equal(t, "empty", len(list(t, f, "/")), 0)
		write(t, f, "/file", "")
		mkdir(t, f, "/dir")
		symlink(t, f, "dir", "/link")
		want := []string{"dir 2", "file 1", "link 3"}
		equal(t, "listing", fmt.Sprint(list(t, f, "/")), fmt.Sprint(want))
		write(t, f, "/link/in", "")
		equal(t, "through a link", fmt.Sprint(list(t, f, "/link")), "[in 1]")
		_, err := f.List("/file")
		fails(t, err, syscall.ENOTDIR)
		_, err = f.List("/no")
		fails(t, err, fs.ErrNotExist)
		fifo(t, f, "/special")
		equal(t, "listing", fmt.Sprint(list(t, f, "/")), fmt.Sprint(append(want, "special 4")))
	}},
	{"List of many", func(t *testing.T, f fsys.FS) {
		const many = 1200 // longer than what one call of the kernel returns
		want := make([]string, many)
		for i := range want {
			name := fmt.Sprintf("%04d-%s", i, strings.Repeat("x", i%40))
			write(t, f, "/"+name, "")
			want[i] = name + " 1"
		}
		slices.Sort(want)
		if got := list(t, f, "/"); !slices.Equal(got, want) {
			t.Errorf("got %d entries, want %d", len(got), many)
		}
	}},
	{"Readdir", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d", "/d/sub")
		for i := range 5 {
			write(t, f, fmt.Sprintf("/d/%d", i), strings.Repeat("x", i))
		}
		symlink(t, f, "no", "/d/dangling")
		d, err := f.Open("/d")
		ok(t, err)
		defer d.Close()
		var names []string
		for {
			infos, err := d.Readdir(2)
			for _, info := range infos {
				names = append(names, fmt.Sprintf("%s %v %d", info.Name(), info.Mode().Type(), info.Size()*int64(boolInt(info.Mode().IsRegular()))))
			}
			if err == io.EOF {
				break
			}
			ok(t, err)
			if len(infos) == 0 {
				t.Fatal("neither entries nor EOF")
			}
		}
		slices.Sort(names)
		want := "0 ---------- 0|1 ---------- 1|2 ---------- 2|3 ---------- 3|4 ---------- 4|dangling L--------- 0|sub d--------- 0"
		equal(t, "entries", strings.Join(names, "|"), want)
		_, err = d.Seek(0, io.SeekStart)
		ok(t, err)
		all, err := d.Readdirnames(-1)
		ok(t, err)
		slices.Sort(all)
		equal(t, "names", strings.Join(all, ","), "0,1,2,3,4,dangling,sub")
		rest, err := d.Readdirnames(0)
		ok(t, err)
		equal(t, "names after the last", len(rest), 0)
	}},
	{"closed", func(t *testing.T, f fsys.FS) {
		s := sub(t, f, "/d")
		write(t, s, "/x", "abc")
		r, err := s.Open("/x")
		ok(t, err)
		ok(t, s.Close())
		_, err = s.Lstat("/x")
		fails(t, err, fs.ErrClosed)
		_, err = s.List("/")
		fails(t, err, fs.ErrClosed)
		_, err = s.RealPath("/x")
		fails(t, err, fs.ErrClosed)
		_, err = s.Create("/y")
		fails(t, err, fs.ErrClosed)
		fails(t, s.Mkdir("/y", 0o755), fs.ErrClosed)
		fails(t, s.Rename("/x", "/y"), fs.ErrClosed)
		_, err = s.Sub("/")
		fails(t, err, fs.ErrClosed)
		equal(t, "open file", readAll(t, r), "abc")
		ok(t, r.Close())
		ok(t, s.Close())
		holds(t, f, "/d/x", "abc")
	}},
	{"closed before any write", func(t *testing.T, f fsys.FS) {
		s := sub(t, f, "/d")
		ok(t, s.Close())
		fails(t, s.Mkdir("/y", 0o755), fs.ErrClosed)
		_, err := s.OpenFile("/y", os.O_CREATE|os.O_WRONLY, 0o644)
		fails(t, err, fs.ErrClosed)
	}},
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
