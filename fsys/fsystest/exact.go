package fsystest

import (
	"io/fs"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
)

var exactCases = []testCase{
	{"all of a file", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/d/x", "abc")
		write(t, f, "/d/none", "")
		into := make([]byte, 3)
		info, err := fsys.ReadExact(f, "/d/x", into)
		ok(t, err)
		equal(t, "bytes", string(into), "abc")
		equal(t, "info", info, lstat(t, f, "/d/x"))
		_, err = fsys.ReadExact(f, "/d/none", nil)
		ok(t, err)
	}},
	{"of another size", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		for _, n := range []int{0, 2, 4} {
			info, err := fsys.ReadExact(f, "/x", make([]byte, n))
			fails(t, err, fsys.ErrOtherSize)
			equal(t, "size", info.Size, 3)
		}
	}},
	{"what is none", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/x", "abc")
		_, err := fsys.ReadExact(f, "/no", make([]byte, 3))
		fails(t, err, fs.ErrNotExist)
		_, err = fsys.ReadExact(f, "/d", make([]byte, 3))
		fails(t, err, syscall.EISDIR, fsys.ErrNotRegular)
		symlink(t, f, "x", "/l")
		_, err = fsys.ReadExact(f, "/l", make([]byte, 3))
		fails(t, err, syscall.ELOOP)
		fifo(t, f, "/p")
		_, err = fsys.ReadExact(f, "/p", nil)
		fails(t, err, fsys.ErrNotRegular)
	}},
}
