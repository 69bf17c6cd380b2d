package fsystest

import (
	"io/fs"
	"os"
	"testing"

	"github.com/haz-build/haz/fsys"
)

var volumeCases = []testCase{
	{"a file lies on the volume of its device", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		write(t, f, "/d/x", "abc")
		symlink(t, f, "d/x", "/l")
		for _, name := range []string{"/", "/d", "/d/x", "/l"} {
			v, err := f.Volume(name)
			ok(t, err)
			info, err := f.StatInfo(name)
			ok(t, err)
			equal(t, name, v.Dev, info.Dev)
		}
		_, err := f.Volume("/none")
		fails(t, err, fs.ErrNotExist)
	}},
	{"unwritten while nobody can write", func(t *testing.T, f fsys.FS) {
		write(t, f, "/x", "abc")
		mkdir(t, f, "/d")
		if _, told := f.Unwritten("/x"); !told {
			t.Skip("the system does not tell")
		}
		info, unwritten := f.Unwritten("/x")
		equal(t, "closed", unwritten, true)
		equal(t, "info", info, lstat(t, f, "/x"))
		r, err := f.Open("/x")
		ok(t, err)
		defer r.Close()
		_, unwritten = f.Unwritten("/x")
		equal(t, "open for reading", unwritten, true)
		w, err := f.OpenFile("/x", os.O_WRONLY, 0)
		ok(t, err)
		_, unwritten = f.Unwritten("/x")
		equal(t, "open for writing", unwritten, false)
		ok(t, w.Close())
		_, unwritten = f.Unwritten("/x")
		equal(t, "closed again", unwritten, true)
		w, err = f.OpenFile("/x", os.O_WRONLY, 0) // the lease is given back
		ok(t, err)
		ok(t, w.Close())
		for _, name := range []string{"/none", "/d"} {
			_, unwritten = f.Unwritten(name)
			equal(t, name, unwritten, false)
		}
	}},
	{"trying mappings leaves nothing", func(t *testing.T, f fsys.FS) {
		mkdir(t, f, "/d")
		_, err := f.MappingTells("/d")
		ok(t, err)
		equal(t, "entries", len(list(t, f, "/d")), 0)
	}},
}
