package fsys_test

import (
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// How the times of a file follow what is written through a mapping.
func TestMemoryMapping(t *testing.T) {
	const sign, none = true, false
	for _, c := range []struct {
		times                fsys.Times
		tells                bool
		first, second, later bool // whether a write leaves another ctime: the first one, the next, one a minute later
		unwritten            bool // while it is mapped
	}{
		{times: fsys.TimesLoose, first: none, second: none, later: none},
		{times: fsys.TimesMarked, first: sign, second: none, later: sign},
		{times: fsys.TimesLayered, tells: true, first: sign, second: none, later: sign, unwritten: true},
		{times: fsys.TimesLayered, first: none, second: none, later: none, unwritten: true},
		{times: fsys.TimesExact, first: sign, second: sign, later: sign},
	} {
		m := memfs.New()
		m.SetVolume(fsys.Volume{Times: c.times}, c.tells)
		if v, err := m.Volume("/"); err != nil || v.Times != c.times || v.Dev == 0 {
			t.Errorf("volume %v, %v", v, err)
		}
		if tells, err := m.MappingTells("/"); err != nil || tells != c.tells {
			t.Errorf("tells %v, %v", tells, err)
		}
		w, err := m.Create("/x")
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := m.Unwritten("/x"); ok {
			t.Error("open for writing, and unwritten")
		}
		_, _ = w.Write([]byte("abc"))
		_ = w.Close()
		p, err := m.Map("/x")
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := m.Unwritten("/x"); ok != c.unwritten {
			t.Errorf("%v: mapped, unwritten %v", c.times, ok)
		}
		for i, want := range []bool{c.first, c.second, c.later} {
			if i == 2 {
				m.Advance(time.Minute)
			}
			before, _ := m.Lstat("/x")
			if n, err := p.WriteAt([]byte{byte('0' + i)}, 1); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			after, _ := m.Lstat("/x")
			if got := after.CTime != before.CTime; got != want || (after.MTime != before.MTime) != want {
				t.Errorf("%v, write %d: a sign %v, want %v", c.times, i, got, want)
			}
		}
		if data, _, _ := m.ReadFile("/x", 0); string(data) != "a2c" {
			t.Errorf("holds %q", data)
		}
		if n, err := p.WriteAt([]byte("xyz"), 2); n != 1 || !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("beyond the end: %d, %v", n, err)
		}
		_ = p.Close()
		_ = p.Close()
		if info, ok := m.Unwritten("/x"); !ok || info.Size != 3 {
			t.Error("nobody writes any more, and it is not unwritten")
		}
		if _, err := p.WriteAt([]byte("x"), 0); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	}
}
