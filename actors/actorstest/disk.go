package actorstest

import (
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
)

// slowDisk is a disk on which an operation takes its time now and then: what publishes an entry, sets it aside or removes it, and
// what opens a file. The logs in .haz/state, lists of directories and the marks of the cache directory itself are left alone: there
// workers wait for each other by mutexes, and a simulation, in which all goroutines are one, would wait for itself.
type slowDisk struct {
	fsys.FS
	sim  *Sim
	base string
}

func (d slowDisk) wait(what, name string) {
	if at := path.Join(d.base, name); !strings.Contains(at+"/", "/.haz/state/") && !strings.HasSuffix(path.Dir(at), "/.haz/cache") {
		d.sim.slow(what + " " + byChance.ReplaceAllString(at, "$1…"))
	}
}

// byChance is what names of temporary and damaged things have that differs from run to run: a trace is to be the same.
var byChance = regexp.MustCompile(`(/\.tmp-|/\.damaged/)[^/]*`)

func (d slowDisk) Sub(dir string) (fsys.FS, error) {
	f, err := d.FS.Sub(dir)
	d.FS, d.base = f, path.Join("/", d.base, dir)
	return d, err
}

func (d slowDisk) Hold(dir string) (fsys.FS, error) {
	f, err := d.FS.Hold(dir)
	d.FS, d.base = f, path.Join("/", d.base, dir)
	return d, err
}

func (d slowDisk) RenameTo(from string, to fsys.FS, name string) error {
	d.wait("rename", from)
	if t, ok := to.(slowDisk); ok {
		to = t.FS
	}
	return d.FS.RenameTo(from, to, name)
}

// Rename also sees that what changes an entry which others may see is done one at a time.
func (d slowDisk) Rename(from, to string) error {
	if at := path.Join(d.base, to); strings.Contains(at, "/.haz/cache/") && (strings.Contains(from, "/.tmp-") || strings.HasPrefix(to, "/.damaged/")) {
		d.sim.changing++
		d.sim.changes = max(d.sim.changes, d.sim.changing)
		defer func() { d.sim.changing-- }()
	}
	d.wait("rename", to)
	return d.FS.Rename(from, to)
}

func (d slowDisk) RemoveAll(name string) error {
	d.wait("removal", name)
	return d.FS.RemoveAll(name)
}

func (d slowDisk) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	d.wait("open", name)
	return d.FS.OpenFile(name, flag, perm)
}

func (d slowDisk) OpenNoFollow(name string) (afero.File, error) {
	d.wait("open", name)
	return d.FS.OpenNoFollow(name)
}
