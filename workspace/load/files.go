package load

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/workspace/config"
)

const missing = "the file does not exist"

// readFile reads a configuration file of the workspace, named relative to the root. What goes wrong is a diagnostic under
// the rule; then the disk is looked at once more to say what is there instead.
func (l *loader) readFile(name, rule string) ([]byte, *diag.Diagnostic) {
	text, _, err := l.fs.ReadFile("/"+name, config.FileMax)
	if err == nil {
		return text, nil
	}
	d := &diag.Diagnostic{Code: rule, Place: diag.Place{File: name}}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.Message = missing
		if text, err := l.fs.Readlink("/" + name); err == nil {
			d.Message = "this is a link to nothing: " + diag.Quote(text)
		}
	case errors.Is(err, fsys.ErrTooLong):
		d.Code, d.Message = "haz::cfg::002", "the file is larger than 16 MiB"
	case errors.Is(err, fsys.ErrNotRegular), errors.Is(err, syscall.EISDIR):
		d.Message = "this is " + kindOf(l.fs, "/"+name) + ", not a file"
	default:
		d.Message = "the file cannot be read"
		d.Causes = []string{fsys.Cause(err).Error()}
	}
	return nil, d
}

// kindOf names what lies at name, links followed.
func kindOf(f fsys.FS, name string) string {
	info, err := f.StatInfo(name)
	if err != nil {
		return "something that cannot be examined"
	}
	switch info.Kind {
	case fsys.Dir:
		return "a directory"
	case fsys.File:
		return "a file"
	default:
		return "a FIFO, socket or device"
	}
}

// parallel calls work for 0 … n-1 on all usable CPUs, and returns when all are done. It stops early when the context ends. A
// panic in work comes out here, where the caller can catch it.
func (l *loader) parallel(n int, work func(i int)) { parallel.Each(l.ctx, n, work) }

// sibling hints at a file of the other usual ending beside a missing one, or one whose name differs in case alone.
func (l *loader) sibling(d *diag.Diagnostic, other string) {
	if d.Message != missing {
		return
	}
	if !exists(l.fs, "/"+other) {
		other = l.otherCase(d.Place.File)
	}
	if other != "" {
		d.Hint = diag.Escape(other) + " exists: rename it to " + path.Base(d.Place.File)
	}
}

// otherCase is a file beside name that has its name in other letters, large for small; "" when there is none.
func (l *loader) otherCase(name string) string {
	list, err := l.fs.List(path.Dir("/" + name))
	if err != nil {
		return ""
	}
	for _, e := range list {
		if strings.EqualFold(e.Name, path.Base(name)) {
			return path.Join(path.Dir(name), e.Name)
		}
	}
	return ""
}
