package fsys_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/fsystest"
)

// What FromAfero says it does not keep to.
var (
	noSecondTimes = []string{"links/second names", "info/chmod, chtimes and second names move ctime alone"}
	byName        = []string{"root/holding follows no link at the end", "rename/into another root", "rename/a moved directory keeps what is below",
		"straight/that moves"}
)

func TestAferoConforms(t *testing.T) {
	lacks := append(append(noSecondTimes, "info/entries move the times of their directory"), byName...)
	t.Run("memory", func(t *testing.T) {
		fsystest.Run(t, func(t *testing.T) fsys.FS { return fsys.FromAfero(afero.NewMemMapFs()) }, lacks...)
	})
	t.Run("memory with links", func(t *testing.T) {
		fsystest.Run(t, func(t *testing.T) fsys.FS { return fsys.Memory() }, lacks...)
	})
	t.Run("machine", func(t *testing.T) {
		fsystest.Run(t, func(t *testing.T) fsys.FS {
			f, err := fsys.FromAfero(afero.NewOsFs()).Sub(t.TempDir())
			must(t, err)
			return f
		}, append(append(noSecondTimes, "files/nobody waits at a FIFO"), byName...)...)
	})
}

// A disk of afero's that lies in another one, and passes links on as they are there: what they lead to is not taken for nothing.
func TestAferoLinkOutOfTheDisk(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "there"), nil, 0o644))
	must(t, os.Mkdir(filepath.Join(dir, "base"), 0o755))
	must(t, os.Symlink(filepath.Join(dir, "there"), filepath.Join(dir, "base/out")))
	must(t, os.Symlink(filepath.Join(dir, "nothing"), filepath.Join(dir, "base/dangling")))
	f := fsys.FromAfero(afero.NewBasePathFs(afero.NewOsFs(), filepath.Join(dir, "base")))
	if _, _, err := f.ReadFile("/out", 0); !errors.Is(err, fsys.ErrOutside) {
		t.Errorf("a link out of the disk: %v", err)
	}
	if _, err := f.StatInfo("/dangling"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a link to nothing: %v", err)
	}
}

// Nothing is believed of a stat, and numbers of files are theirs as long as they are known to be the same.
func TestAferoProvesNothing(t *testing.T) {
	disk := afero.NewMemMapFs()
	f := fsys.FromAfero(disk)
	must(t, afero.WriteFile(disk, "/x", []byte("1"), 0o644))
	if v, err := f.Volume("/x"); err != nil || v.Times != fsys.TimesLoose {
		t.Errorf("%+v, %v", v, err)
	}
	if _, unwritten := f.Unwritten("/x"); unwritten {
		t.Error("somebody knows who writes")
	}
	before, err := f.Lstat("/x")
	must(t, err)
	must(t, disk.Remove("/x")) // behind its back
	if _, err := f.Lstat("/x"); !fsys.Absent(err) {
		t.Fatal(err)
	}
	must(t, disk.Mkdir("/x", 0o755))
	after, err := f.Lstat("/x")
	must(t, err)
	if after.Inode == before.Inode {
		t.Error("another thing has the same number")
	}
}
