package infer

import (
	"errors"
	"sync"
	"syscall"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// ManifestMax is how long a manifest may be, in bytes.
const ManifestMax = 16 << 20

// Disk is the workspace as readers see it. Safe for concurrent use.
type Disk struct {
	fs fsys.FS

	mu     sync.Mutex
	looked map[string]bool // patterns of what was asked for
}

// NewDisk is that of a file system rooted at the workspace.
func NewDisk(fs fsys.FS) *Disk { return &Disk{fs: fs, looked: map[string]bool{}} }

// look takes note of a pattern of files that are looked for.
func (d *Disk) look(pattern string) {
	d.mu.Lock()
	d.looked[pattern] = true
	d.mu.Unlock()
}

// Manifest reads a file, by its workspace-absolute name. Where there is none both results are nil; where it cannot be read, or is no
// text in UTF-8, the diagnostic says why.
func (d *Disk) Manifest(name string) (*Text, *diag.Diagnostic) {
	d.look(pattern.Escape(name))
	bytes, _, err := d.fs.ReadFile(name, ManifestMax)
	if err == nil {
		return newText(name, bytes)
	}
	bad := &diag.Diagnostic{Code: RuleBroken, Place: diag.Place{File: name[1:]}}
	switch {
	case fsys.Absent(err):
		return nil, nil
	case errors.Is(err, fsys.ErrTooLong):
		bad.Message = "the file is larger than 16 MiB"
	case errors.Is(err, syscall.EISDIR):
		bad.Message = "this is a directory, not a file"
	case errors.Is(err, fsys.ErrNotRegular):
		bad.Message = "this is a FIFO, socket or device, not a file"
	default:
		bad.Message, bad.Causes = "the file cannot be read", []string{fsys.Cause(err).Error()}
	}
	return nil, bad
}

// Source reads a file that is no manifest: who is to watch it is said by Sources. Nil where there is none, or it cannot be read.
func (d *Disk) Source(name string) []byte {
	bytes, _, err := d.fs.ReadFile(name, ManifestMax)
	if err != nil {
		return nil
	}
	return bytes
}

// Start reads the beginning of a file that is no manifest into memory of the caller, and says whether it is all of the file. Nothing is
// read of what is no file.
func (d *Disk) Start(name string, into []byte) (n int, whole bool) {
	n, whole, err := d.fs.ReadStart(name, into)
	if err != nil {
		return 0, true
	}
	return n, whole
}

// Starts is Start for files of a folder: those that choose picks of its entries. Of one that cannot be read nothing is told.
func (d *Disk) Starts(dir string, into []byte, choose func([]fsys.Entry) []fsys.Entry, each func(e fsys.Entry, n int, whole bool)) {
	_ = fsys.ReadStarts(d.fs, dir, into, choose, func(e fsys.Entry, n int, whole bool, err error) { // a folder that cannot be listed is empty
		if err == nil {
			each(e, n, whole)
		}
	})
}

// Head is the beginning of a file that is no link, at most so many bytes; nil where there is none, or it cannot be read.
func (d *Disk) Head(name string, bytes int) []byte {
	d.look(pattern.Escape(name))
	if info, err := d.fs.Lstat(name); err != nil || info.Kind != fsys.File {
		return nil
	}
	head := make([]byte, bytes)
	n, _, err := d.fs.ReadStart(name, head)
	if err != nil {
		return nil
	}
	return head[:n]
}

// Has reports whether a regular file, or a link to one, has the name.
func (d *Disk) Has(name string) bool {
	d.look(pattern.Escape(name))
	return d.Is(name)
}

// Is is Has of a file that is no manifest: like Source it is for what stands among the Sources.
func (d *Disk) Is(name string) bool {
	info, err := d.fs.StatInfo(name)
	return err == nil && info.Kind == fsys.File
}

// List returns the entries of a directory, in no order; nil for what is none.
func (d *Disk) List(dir string) []fsys.Entry {
	entries, err := d.fs.List(dir)
	if err != nil {
		return nil
	}
	return entries
}

// RealDir is a directory without links; "" for what is no directory of the workspace.
func (d *Disk) RealDir(name string) string {
	real, err := d.fs.RealPath(name)
	if err != nil {
		return ""
	}
	if info, err := d.fs.Lstat(real); err != nil || info.Kind != fsys.Dir {
		return ""
	}
	return real
}
