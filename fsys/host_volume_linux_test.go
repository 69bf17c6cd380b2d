package fsys_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/haz-build/haz/fsys"
)

// What is said of a file system is what it does: a page that was read before, and one that was written before.
func TestVolumesOfTheHost(t *testing.T) {
	dirs := map[string]string{"temporary": t.TempDir()}
	if dir, err := os.MkdirTemp("/dev/shm", "haz-volume"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		dirs["memory"] = dir
	}
	for what, dir := range dirs {
		t.Run(what, func(t *testing.T) {
			h, err := fsys.Host(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			v, err := h.Volume("/")
			if err != nil {
				t.Fatal(err)
			}
			tells, err := h.MappingTells("/")
			if err != nil {
				t.Skip("nothing can be mapped here:", err)
			}
			t.Log(v, tells)
			if v.Times == fsys.TimesMarked && !tells {
				t.Error("a write through a mapping leaves no sign, and the times are believed")
			}
			var st unix.Statfs_t
			if unix.Statfs(dir, &st) == nil && st.Type == unix.TMPFS_MAGIC && v.Times != fsys.TimesLoose {
				t.Error("the times of tmpfs are believed")
			}
			testMappedIsWritten(t, h)
		})
	}
}

// A mapping counts as a writer, also when its file was closed.
func testMappedIsWritten(t *testing.T, h fsys.FS) {
	if err := os.WriteFile(h.HostPath("/x"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	v, _ := h.Volume("/")
	if _, told := h.Unwritten("/x"); !told || v.Times == fsys.TimesLayered {
		t.Skip("the system does not tell")
	}
	f, err := os.OpenFile(h.HostPath("/x"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	page, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if _, unwritten := h.Unwritten("/x"); unwritten {
		t.Error("mapped for writing, and unwritten")
	}
	_ = unix.Munmap(page)
	if _, unwritten := h.Unwritten("/x"); !unwritten {
		t.Error("not mapped any more, and still written to")
	}
}

// A mount has a number, and the same one on each look; another folder of it as well.
func TestMountsAreTold(t *testing.T) {
	h, err := fsys.Host(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.MkdirAll("/d/e", 0o755); err != nil {
		t.Fatal(err)
	}
	first, err := h.Volume("/")
	if err != nil || first.Mount == 0 {
		t.Fatal(first, err)
	}
	for _, name := range []string{"/", "/d/e"} {
		if v, err := h.Volume(name); err != nil || v != first {
			t.Errorf("%s: %v, %v; want %v", name, v, err, first)
		}
	}
	shm, err := fsys.Host("/dev/shm")
	if err != nil {
		t.Skip(err)
	}
	defer shm.Close()
	if v, err := shm.Volume("/"); err != nil || v.Mount == first.Mount && v.Dev != first.Dev {
		t.Errorf("/dev/shm: %v, %v; is of another mount than %v", v, err, first)
	}
}
