package load

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
)

// CheckPlace says what keeps dir, an absolute host path, from holding what, as in "the cache", of the workspace with that root: nil
// when nothing does. It need not exist. It lies neither in the workspace, where patterns would find it, nor around it, links followed;
// and everything on the way belongs to the user or root (DISC-023), since whoever owns it decides what comes out of the cache.
func CheckPlace(host fsys.FS, root, dir, what string, s Stranger) *diag.Diagnostic {
	real, err := realPlace(host, dir)
	if err != nil {
		return &diag.Diagnostic{Message: fmt.Sprintf("%s cannot lie in %s", what, diag.Quote(dir)), Causes: []string{fsys.Cause(err).Error()}}
	}
	if contains(root, real) || contains(real, root) {
		how := "lies in"
		if real != root && !contains(root, real) {
			how = "holds"
		}
		return &diag.Diagnostic{Message: fmt.Sprintf("%s cannot lie in %s, which %s the workspace %s", what, diag.Quote(dir), how, diag.Quote(root)),
			Hint: "choose a folder beside it; inside of it .haz/cache and .haz/state are the only places"}
	}
	o, ok := host.(owners)
	if !ok || s == nil {
		return nil
	}
	for _, name := range append(wayTo(path.Clean(dir)), wayTo(real)...) {
		uid, err := o.Owner(name)
		if err != nil { // not made yet
			continue
		}
		if who := s(uid); who != "" {
			return &diag.Diagnostic{Code: "DISC-023", Place: diag.Place{File: name},
				Message: fmt.Sprintf("this belongs to %s, who thereby decides what comes out of %s in %s", diag.Escape(who), what, diag.Quote(dir)),
				Hint:    "if you trust them with that: haz --trust-owner COMMAND...; if it is yours after all, give it to yourself with chown"}
		}
	}
	return nil
}

// realPlace takes the links out of a path of which an end may not exist yet.
func realPlace(host fsys.FS, dir string) (string, error) {
	dir = path.Clean(dir)
	for at := dir; ; at = path.Dir(at) {
		real, err := host.RealPath(at)
		switch {
		case err == nil:
			info, err := host.StatInfo(real)
			if err == nil && info.Kind != fsys.Dir {
				return "", fmt.Errorf("%s is %s, not a directory", diag.Quote(at), kindOf(host, real))
			}
			return path.Join(real, strings.TrimPrefix(dir, strings.TrimSuffix(at, "/"))), nil
		case !errors.Is(err, fs.ErrNotExist) || at == "/":
			return "", err
		case exists(host, at):
			return "", fmt.Errorf("%s is a link to nothing", diag.Quote(at))
		}
	}
}

// contains reports whether p is dir or lies below it.
func contains(dir, p string) bool {
	return dir == "/" || p == dir || strings.HasPrefix(p, dir+"/")
}
