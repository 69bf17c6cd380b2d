package load

import (
	"fmt"
	"path"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace"
)

// Whoever owns the root of a workspace, or a folder above it, decides what haz runs there in the name of somebody else: in a parent
// that everybody may write to, anybody can put a .haz. What belongs to neither the user nor root is refused (DISC-023), as git does
// with safe.directory.

// A Stranger says who owns something, if that is neither the user nor root: "" when it is, else a name for people.
type Stranger func(uid int) string

// owners is a file system that has them; one in memory has none.
type owners interface {
	// Owner is the user that name belongs to, a link at its end not followed.
	Owner(name string) (uid int, err error)
}

// checkOwners looks at everything on the way to what marks the root: each folder from "/" on, the marker, and where that is a
// link, each folder on the way to what it leads to.
func checkOwners(host fsys.FS, root string, mode workspace.Mode, s Stranger) *diag.Diagnostic {
	o, ok := host.(owners)
	if !ok || s == nil {
		return nil
	}
	names := wayTo(root)
	for _, marker := range markers(mode) {
		name := path.Join(root, marker)
		if !exists(host, name) {
			continue
		}
		names = append(names, name)
		if real, err := host.RealPath(name); err == nil && real != name {
			names = append(names, wayTo(real)...)
		}
	}
	for _, name := range names {
		uid, err := o.Owner(name)
		if err != nil {
			return &diag.Diagnostic{Code: "DISC-001", Place: diag.Place{File: name},
				Message: "the owner of this cannot be found out", Causes: []string{fsys.Cause(err).Error()}}
		}
		if who := s(uid); who != "" {
			return &diag.Diagnostic{Code: "DISC-023", Place: diag.Place{File: name},
				Message: fmt.Sprintf("this belongs to %s, who thereby decides what haz runs as you in the workspace %s", diag.Escape(who), diag.Quote(root)),
				Hint:    "if you trust them with that: haz --trust-owner COMMAND...; if it is yours after all, give it to yourself with chown"}
		}
	}
	return nil
}

// markers are what makes a folder a root, and what is read there first.
func markers(mode workspace.Mode) []string {
	if mode == workspace.Explicit {
		return []string{layout.Name}
	}
	return []string{markerGit, layout.ProjectFile}
}

// wayTo is every folder above the clean host path p, and p.
func wayTo(p string) []string {
	names := []string{"/"}
	for i := 1; i < len(p); i++ {
		if p[i] == '/' {
			names = append(names, p[:i])
		}
	}
	if p != "/" {
		names = append(names, strings.TrimSuffix(p, "/"))
	}
	return names
}
