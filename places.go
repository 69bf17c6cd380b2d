package haz

import (
	"cmp"
	"path"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/load"
)

// WithStateDir puts cache and state of the workspace into a directory outside of it, an absolute host path: cache/ is that of all
// workspaces that share the directory, and each has a state of its own beside it, named by the digest of its root. Default: both lie
// in .haz, and nothing is kept where that cannot be written.
func WithStateDir(dir string) Option { return func(o *options) { o.stateDir = dir } }

// WithCacheDir puts the cache of the workspace into a directory outside of it, an absolute host path. It wins over WithStateDir and
// over what the workspace says itself.
func WithCacheDir(dir string) Option { return func(o *options) { o.cacheDir = dir } }

// place puts cache and state where they are to lie: the tree with both (chapter 2, 7.1). The error is *diag.Errors, and the tree is open
// still.
func (o *options) place(w *workspace.Workspace, tree fsys.FS) (fsys.FS, error) {
	places := map[string]string{}
	var list diag.List
	put := func(at, dir, what string, said diag.Place) {
		if len(list) > 0 {
			return // one mistake is told once
		}
		if !path.IsAbs(dir) {
			list = append(list, diag.Diagnostic{Code: "S-44", Place: said, Message: "the place of " + what + " is no absolute path: " + diag.Quote(dir)})
			return
		}
		if d := load.CheckPlace(o.host, w.Root, dir, what, o.stranger()); d != nil {
			if d.Code == "" {
				d.Code, d.Place = "S-44", said
			}
			list = append(list, *d)
		}
		places[at] = path.Clean(dir)
	}
	linked := o.linkedHome(w.Root, tree)
	if home := cmp.Or(o.stateDir, linked); home != "" {
		put(layout.StateDir, stateIn(home, w.Root), "the state", diag.Place{})
	}
	switch {
	case o.cacheDir != "":
		put(layout.CacheDir, o.cacheDir, "the cache", diag.Place{})
	case o.stateDir != "":
		put(layout.CacheDir, path.Join(o.stateDir, "cache"), "the cache", diag.Place{})
	case w.Settings.Location != "":
		dir, d := o.location(w)
		if d != nil {
			list = append(list, *d)
			break
		}
		put(layout.CacheDir, dir, "the cache", w.Settings.LocationAt)
	case linked != "":
		put(layout.CacheDir, path.Join(linked, "cache"), "the cache", diag.Place{})
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	return fsys.Elsewhere(tree, o.host, places), nil
}

// linkedHome is where a linked .haz leads, when that is out of the workspace; else "". Other workspaces may have links to it as well.
func (o *options) linkedHome(root string, tree fsys.FS) string {
	if info, err := tree.Lstat(layout.Dir); err != nil || info.Kind != fsys.Link {
		return ""
	}
	real, err := o.host.RealPath(path.Join(root, layout.Name))
	if err != nil || real == root || strings.HasPrefix(real, strings.TrimSuffix(root, "/")+"/") {
		return ""
	}
	return real
}

// location is where cache.location leads.
func (o *options) location(w *workspace.Workspace) (string, *diag.Diagnostic) {
	text := w.Settings.Location
	inHome, ok := strings.CutPrefix(text, "~/")
	switch {
	case !ok && path.IsAbs(text):
		return text, nil
	case !ok:
		return path.Join(w.Root, text), nil
	}
	home := ""
	for _, kv := range o.env {
		if value, ok := strings.CutPrefix(kv, "HOME="); ok {
			home = value
		}
	}
	if !path.IsAbs(home) {
		return "", &diag.Diagnostic{Code: "haz::cfg::040", Place: w.Settings.LocationAt,
			Message: "cache.location is in your home, and HOME is no absolute path", Hint: "set HOME, or say where: --cache-dir DIR, HAZ_CACHE_DIR=DIR"}
	}
	return path.Join(home, inHome), nil
}

// stateIn is where the state of a workspace lies in a home of several.
func stateIn(home, root string) string { return path.Join(home, "state-"+stateName(root)) }

// stateFS is the workspace with its state where that is to lie, for who reads it before anything else is known; nil where something keeps
// the state from lying there.
func (o *options) stateFS(root string, tree fsys.FS) fsys.FS {
	home := cmp.Or(o.stateDir, o.linkedHome(root, tree))
	if home == "" {
		return tree
	}
	dir := stateIn(home, root)
	if !path.IsAbs(dir) || load.CheckPlace(o.host, root, dir, "the state", o.stranger()) != nil {
		return nil
	}
	return fsys.Elsewhere(tree, o.host, map[string]string{layout.StateDir: dir})
}

// stateName tells the states of workspaces apart that share a directory.
func stateName(root string) string { return hasher.Sum(digest.BLAKE3, []byte(root)).Hex()[:16] }
