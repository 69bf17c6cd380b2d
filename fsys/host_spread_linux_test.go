package fsys_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/haz-build/haz/fsys"
)

// The hint is given, or refused with an error that names the directory; nothing else of it changes.
func TestSpreadChildren(t *testing.T) {
	dir := t.TempDir()
	f, err := fsys.Host(dir)
	must(t, err)
	defer f.Close()
	h := f.(interface{ SpreadChildren(dir string) error })
	must(t, f.Mkdir("/d", 0o700))
	before, err := f.Lstat("/d")
	must(t, err)
	if err := h.SpreadChildren("/d"); err != nil {
		t.Skip(err)
	}
	d, err := os.Open(dir + "/d")
	must(t, err)
	defer d.Close()
	if flags, err := unix.IoctlGetInt(int(d.Fd()), unix.FS_IOC_GETFLAGS); err != nil || flags&0x20000 == 0 {
		t.Errorf("flags %x, %v", flags, err)
	}
	if after, err := f.Lstat("/d"); err != nil || after.Kind != fsys.Dir || after.Perm != before.Perm || after.Inode != before.Inode {
		t.Errorf("%+v, %v; was %+v", after, err, before)
	}
	if err := h.SpreadChildren("/no"); err == nil {
		t.Error("no error for what is not there")
	}
}
