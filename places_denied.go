package haz

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
)

const elsewhereHint = "cache and state can lie elsewhere: haz --state-dir DIR, or HAZ_STATE_DIR=DIR"

// A NotKeptError says that something cannot be kept beside the cache, where on the host, and what to do about it.
type NotKeptError struct {
	Path string // on the host
	Err  error  // without a path
	Hint string // "" when there is nothing to be done that haz knows of
}

func (e *NotKeptError) Error() string { return diag.Escape(e.Path) + ": " + e.Err.Error() }

func (e *NotKeptError) Unwrap() error { return e.Err }

// notKept gives an error about what lies at name, in the file system of the workspace, the words of the host.
func (w *Workspace) notKept(name string, err error) error {
	if err == nil {
		return nil
	}
	e := &NotKeptError{Path: w.FS.HostPath(name), Err: err, Hint: w.remedy(name, err)}
	var p *os.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		e.Path, e.Err = w.FS.HostPath(p.Path), p.Err
	case errors.As(err, &l):
		e.Path, e.Err = w.FS.HostPath(l.New), l.Err
	}
	return e
}

// remedy is what to do about an error of writing at or above name, in the file system of the workspace; "" when haz knows of nothing.
func (w *Workspace) remedy(name string, err error) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return elsewhereHint
	case !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.EPERM):
		return ""
	}
	host, ok := w.o.host.(interface {
		Owner(name string) (int, error)
	})
	if !ok {
		return elsewhereHint
	}
	for at := w.FS.HostPath(name); ; at = path.Dir(at) {
		uid, err := host.Owner(at)
		switch {
		case err == nil && uid == os.Geteuid():
			return fmt.Sprintf("%s is yours, but its mode keeps you out: chmod -R u+rwX %s", diag.Escape(at), diag.ShellWord(at))
		case err == nil:
			at = w.ownedTogether(at, uid, host.Owner)
			return fmt.Sprintf("%s belongs to %s; give it to yourself: sudo chown -R %d %s; or: %s",
				diag.Escape(at), diag.Escape(userName(uid)), os.Geteuid(), diag.ShellWord(at), elsewhereHint)
		case at == "/":
			return elsewhereHint
		}
	}
}

// ownedTogether is the highest folder around at, within state or cache, such that all up to there belongs to one user.
func (w *Workspace) ownedTogether(at string, uid int, owner func(name string) (int, error)) string {
	for _, dir := range []string{layout.StateDir, layout.CacheDir} {
		top := w.FS.HostPath(dir)
		for strings.HasPrefix(at, top+"/") {
			if above, err := owner(path.Dir(at)); err != nil || above != uid {
				break
			}
			at = path.Dir(at)
		}
	}
	return at
}
