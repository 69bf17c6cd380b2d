package state

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// disks is a workspace with another file system at /usb.
type disks struct {
	*counting
	mem *memfs.FS
	usb fsys.Volume
}

const usbDev = 77

func newDisks() *disks {
	mem := memfs.New()
	return &disks{counting: newCounting(mem), mem: mem, usb: fsys.Volume{Dev: usbDev, Times: fsys.TimesMarked, Mount: 9}}
}

func on(name string, info fsys.Info) fsys.Info {
	if strings.HasPrefix(name, "/usb") {
		info.Dev = usbDev
	}
	return info
}

func (d *disks) StatInfo(name string) (fsys.Info, error) {
	info, err := d.counting.StatInfo(name)
	return on(name, info), err
}

func (d *disks) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	data, info, err := d.counting.ReadFile(name, limit)
	return data, on(name, info), err
}

func (d *disks) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	data, info, unwritten, err := d.counting.ReadUnwritten(name, limit)
	return data, on(name, info), unwritten, err
}

func (d *disks) Volume(name string) (fsys.Volume, error) {
	if strings.HasPrefix(name, "/usb") {
		return d.usb, nil
	}
	return d.counting.Volume(name)
}

// run is what a run reads of the files that it looks at.
func (d *disks) run(t *testing.T, names ...string) string {
	t.Helper()
	clear(d.reads)
	s := Open(d, digest.BLAKE3)
	var read []string
	for _, name := range names {
		before := d.reads[name]
		r, err := s.Digest(context.Background(), name, fsys.Info{})
		if data, _, err := d.mem.ReadFile(name, 0); err != nil || r.Digest != hasher.Sum(digest.BLAKE3, data) {
			t.Errorf("%s: another digest than that of %q", name, data)
		}
		if err != nil {
			t.Fatal(err)
		}
		if d.reads[name] != before {
			read = append(read, name)
		}
	}
	s.Flush()
	return strings.Join(read, " ")
}

// S-26: rows count as long as the file system that they are of stays mounted, or in use.
func TestIndexOfAnotherMount(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "one")
	write(t, mem, "/b", "two")
	mem.Advance(time.Hour)
	d := &disks{counting: newCounting(mem), mem: mem}
	for i, c := range []struct {
		mount, super uint64
		look, reads  string
	}{
		{1, 1, "/a /b", "/a /b"},
		{1, 1, "/a /b", ""},
		{2, 1, "/a /b", ""},      // a second mount: the device was in use all the time
		{1, 7, "/a /b", ""},      // the number of a mount is enough
		{3, 0, "/a", "/a"},       // all that is known is that it is another mount
		{3, 0, "/a", ""},         //
		{3, 0, "/b", "/b"},       // what was dropped does not come back
		{4, 8, "/a /b", "/a /b"}, // unmounted, and mounted again
		{4, 0, "/a /b", ""},
		{0, 0, "/a /b", "/a /b"}, // nothing is known any more
		{0, 0, "/a /b", ""},      // and never was: only starts of the system tell
	} {
		mem.SetVolume(fsys.Volume{Times: fsys.TimesMarked, Mount: c.mount, Super: c.super}, false)
		if got := d.run(t, strings.Fields(c.look)...); got != c.reads {
			t.Errorf("%d: read %q, want %q", i, got, c.reads)
		}
	}
}

// Each device has its own mounts; what a run has not met stays as it was.
func TestIndexOfSeveralMounts(t *testing.T) {
	d := newDisks()
	for _, name := range []string{"/a", "/usb/b", "/c"} {
		write(t, d.mem, name, name)
	}
	d.mem.Advance(time.Hour)
	run := func(names, want string) {
		t.Helper()
		if got := d.run(t, strings.Fields(names)...); got != want {
			t.Errorf("read %q, want %q", got, want)
		}
	}
	run("/a /usb/b", "/a /usb/b")
	run("/a /usb/b /c", "/c")
	run("/a /usb/b /c", "")
	d.usb.Mount++
	run("/a", "")
	write(t, d.mem, "/d", "new")
	d.mem.Advance(time.Hour)
	run("/d", "/d")
	run("/usb/b", "/usb/b")
	run("/a /usb/b /c /d", "")
	d.mem.SetVolume(fsys.Volume{Times: fsys.TimesMarked, Mount: 5}, false)
	run("/usb/b", "")
	run("/a", "/a")
	run("/a /usb/b", "")
	run("/c", "/c")
}

// The clock of one machine says nothing of the times of another one's files.
func TestIndexOfAnotherClock(t *testing.T) {
	for _, c := range []struct {
		usb, state bool // foreign
		sure       bool
	}{{false, false, true}, {true, false, false}, {false, true, false}, {true, true, false}} {
		d := newDisks()
		d.usb.Foreign = c.usb
		d.mem.SetVolume(fsys.Volume{Times: fsys.TimesExact, Mount: 1, Foreign: c.state}, false)
		write(t, d.mem, "/usb/a", "a")
		write(t, d.mem, "/b", "b")
		d.mem.Advance(time.Hour)
		d.run(t, "/usb/a", "/b")
		want := "/usb/a"
		if c.sure {
			want = ""
		}
		if got := d.run(t, "/usb/a", "/b"); got != want {
			t.Errorf("%+v: read %q, want %q", c, got, want)
		}
	}
}

// A disk that lost its last writes has a file with its stat and older bytes.
func TestIndexOfADiskThatLostWrites(t *testing.T) {
	d := newDisks()
	write(t, d.mem, "/usb/a", "old")
	write(t, d.mem, "/usb/a", "new")
	d.mem.Advance(time.Hour)
	d.run(t, "/usb/a")
	d.mem.SetVolume(fsys.Volume{Times: fsys.TimesLoose}, false)
	p, err := d.mem.Map("/usb/a") // a write that leaves the stat as it is
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.WriteAt([]byte("old"), 0); err != nil {
		t.Fatal(err)
	}
	d.mem.SetVolume(fsys.Volume{Times: fsys.TimesMarked, Mount: 1}, false)
	d.usb.Mount++
	if got := d.run(t, "/usb/a"); got != "/usb/a" {
		t.Errorf("read %q", got)
	}
}

// What a layered file system tells is tried once a mount; and only on that of .haz/state.
func TestLayersAreTriedOnce(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "one")
	mem.Advance(time.Hour)
	mem.SetVolume(fsys.Volume{Times: fsys.TimesLayered, Mount: 1}, true)
	tries := &trying{counting: newCounting(mem)}
	look := func() {
		t.Helper()
		s := Open(tries, digest.BLAKE3)
		digestOf(t, s, "/a")
		s.Flush()
	}
	for range 3 {
		look()
	}
	if tries.n != 1 || tries.reads["/a"] != 1 {
		t.Errorf("tried %d times, read %d times", tries.n, tries.reads["/a"])
	}
	mem.SetVolume(fsys.Volume{Times: fsys.TimesLayered, Mount: 2}, true)
	if look(); tries.n != 2 || tries.reads["/a"] != 2 {
		t.Errorf("another mount: tried %d times, read %d times", tries.n, tries.reads["/a"])
	}

	d := newDisks()
	d.usb.Times = fsys.TimesLayered
	write(t, d.mem, "/usb/b", "two")
	d.mem.Advance(time.Hour)
	d.mem.SetVolume(fsys.Volume{Times: fsys.TimesMarked, Mount: 1}, true)
	d.run(t, "/usb/b")
	if got := d.run(t, "/usb/b"); got != "/usb/b" {
		t.Error("layers that nobody tried are believed")
	}
	d.usb.Mount = 1 // a device of its own, on the same mount
	d.run(t, "/usb/b")
	if got := d.run(t, "/usb/b"); got != "" {
		t.Error("layers on the mount of .haz/state are not believed")
	}
}

// trying counts how often mappings are tried.
type trying struct {
	*counting
	n int
}

func (f *trying) Sub(dir string) (fsys.FS, error) {
	sub, err := f.counting.Sub(dir)
	return &tryingSub{FS: sub, of: f}, err
}

type tryingSub struct {
	fsys.FS
	of *trying
}

func (f *tryingSub) MappingTells(dir string) (bool, error) {
	f.of.n++
	return f.FS.MappingTells(dir)
}
