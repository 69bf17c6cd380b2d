package git

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/haz-build/haz/fsys"
)

// found is what changed, by paths from the top of the work tree; of directories nothing more is known than that something in
// them, or all of it, may differ.
type found struct {
	paths, dirs []string
	links       []string // all links that git knows
	definitions []string // files that git knows and whose names are those of haz
}

// question is what is asked of one repository.
type question struct {
	commit string // to compare with
	staged bool   // the index, not the work tree
	// untracked and inner say whether files that git does not know count, here and inside of submodules.
	untracked, inner bool
	where            []string // pathspecs
}

// ask asks one repository, and its submodules.
func (r *repository) ask(ctx context.Context, q question) (*found, error) {
	changed, untracked, index, err := r.gather(ctx, q)
	if err != nil {
		return nil, err
	}
	f := &found{}
	for _, name := range untracked {
		if dir, nested := strings.CutSuffix(name, "/"); nested {
			f.dirs = append(f.dirs, dir)
			continue
		}
		f.paths = append(f.paths, name)
		if r.leadsToDir(name) {
			f.dirs = append(f.dirs, name)
		}
	}
	modules := f.note(index)
	for _, e := range changed {
		f.paths = append(f.paths, e.path)
		switch {
		case e.oldMode == modeModule && e.newMode == modeModule:
			if q.staged {
				f.add(r.stagedModule(ctx, e))
			} else {
				modules[e.path] = e.oldID
			}
		case e.oldMode == modeModule || e.newMode == modeModule:
			f.dirs = append(f.dirs, e.path)
			delete(modules, e.path)
		case e.oldMode == modeLink && r.ledToDir(ctx, e), e.newMode == modeLink && r.leadsToDir(e.path):
			f.dirs = append(f.dirs, e.path)
		}
	}
	if !q.staged {
		for path, commit := range modules {
			f.add(r.module(ctx, q, path, commit))
		}
	}
	return f, ctx.Err()
}

// gather asks git for what changed, for files that it does not know, and for its index, all at once.
func (r *repository) gather(ctx context.Context, q question) (changed []entry, untracked []string, index []indexed, err error) {
	var all sync.WaitGroup
	var untrackedErr, indexErr error
	if q.untracked {
		all.Go(func() { untracked, untrackedErr = r.untracked(ctx, q.where) })
	}
	all.Go(func() { index, indexErr = r.index(ctx, q.where) })
	changed, err = r.diff(ctx, q.commit, q.staged, q.where)
	all.Wait()
	for _, other := range []error{untrackedErr, indexErr} {
		if err == nil {
			err = other
		}
	}
	if err == nil && !q.staged {
		var hidden []entry
		hidden, err = r.hiddenChanges(ctx, index)
		changed = append(changed, hidden...)
	}
	return changed, untracked, index, err
}

// note takes what the index has of links and definitions, and returns its modules: by path, the commit to compare with.
func (f *found) note(index []indexed) map[string]string {
	modules := map[string]string{}
	for _, i := range index {
		switch i.mode {
		case modeModule:
			modules[i.path] = i.id
		case modeLink:
			f.links = append(f.links, i.path)
		}
		if isDefinition(i.path) {
			f.definitions = append(f.definitions, i.path)
		}
	}
	return modules
}

func (f *found) add(o *found) {
	f.paths, f.dirs = append(f.paths, o.paths...), append(f.dirs, o.dirs...)
	f.links, f.definitions = append(f.links, o.links...), append(f.definitions, o.definitions...)
}

// module asks a submodule what differs from its commit. It counts as its own path when something does. What cannot be found
// out may be anything.
func (r *repository) module(ctx context.Context, q question, path, commit string) *found {
	sub, err := r.inner(ctx, filepath.Join(r.top, path))
	if err == nil && sub == nil {
		return &found{} // not checked out: nothing can be read from it
	}
	var in *found
	if err == nil {
		in, err = sub.ask(ctx, question{commit: commit, untracked: q.inner, inner: q.inner})
	}
	if err != nil {
		return &found{paths: []string{path}, dirs: []string{path}}
	}
	return in.below(path)
}

// stagedModule asks a submodule what differs between two of its commits.
func (r *repository) stagedModule(ctx context.Context, e entry) *found {
	sub, err := r.inner(ctx, filepath.Join(r.top, e.path))
	if err == nil && sub != nil {
		out, end, err := sub.code(ctx, "diff-tree", "-r", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", e.oldID, e.newID, "--")
		if err == nil && end.failed == nil {
			f := &found{}
			for _, in := range parseRaw(out) {
				f.paths = append(f.paths, in.path)
				if in.oldMode == modeModule || in.newMode == modeModule || in.oldMode == modeLink || in.newMode == modeLink {
					f.dirs = append(f.dirs, in.path)
				}
			}
			return f.below(e.path)
		}
	}
	return &found{paths: []string{e.path}, dirs: []string{e.path}}
}

// below puts what was found in a submodule in its place.
func (f *found) below(path string) *found {
	under := func(list []string) []string {
		out := make([]string, len(list))
		for i, name := range list {
			out[i] = path + "/" + name
		}
		return out
	}
	out := &found{paths: under(f.paths), dirs: under(f.dirs), links: under(f.links), definitions: under(f.definitions)}
	if len(f.paths)+len(f.dirs) > 0 {
		out.paths = append(out.paths, path)
	}
	return out
}

// leadsToDir reports whether a path in the work tree is a link to a directory: then more can be read through it.
func (r *repository) leadsToDir(path string) bool {
	host := filepath.Join(r.top, path)
	if info, err := fsys.Machine().Lstat(host); err != nil || info.Kind != fsys.Link {
		return false
	}
	info, err := fsys.Machine().StatInfo(host)
	return err == nil && info.Kind == fsys.Dir
}

// ledToDir reports whether what was a link may have led to a directory.
func (r *repository) ledToDir(ctx context.Context, e entry) bool {
	text, end, err := r.code(ctx, "cat-file", "blob", e.oldID)
	if err != nil || end.failed != nil {
		return true
	}
	target := text
	if !filepath.IsAbs(target) {
		target = filepath.Join(r.top, filepath.Dir(e.path), target)
	}
	info, err := fsys.Machine().StatInfo(target)
	return err != nil || info.Kind == fsys.Dir // what is gone may have been one
}

// follow adds what can be reached through links: a changed path counts under each name that a link gives it. Where a link
// leads is looked up now; when the link itself changed, everything below it counts anyhow.
func (r *repository) follow(ctx context.Context, q question, f *found) error {
	a := aliases{links: map[string][]string{}, known: map[string]string{}}
	asked := map[string]bool{}
	for range linkDepth {
		var outside []string // targets in the repository that lie outside of the workspace
		for _, link := range f.links {
			if _, seen := a.known[link]; seen {
				continue
			}
			target, ok := r.target(link)
			a.known[link] = target
			if _, above := below(link, target); !ok || above { // a link to what it lies in is not read through
				continue
			}
			a.links[target] = append(a.links[target], link)
			if r.prefix != "" && !strings.HasPrefix(target+"/", r.prefix) && !asked[target] {
				asked[target] = true
				outside = append(outside, ":(top,literal)"+target)
			}
		}
		if len(outside) == 0 {
			break
		}
		q.where = outside
		more, err := r.ask(ctx, q)
		if err != nil {
			return err
		}
		f.add(more)
	}
	if len(a.links) > 0 {
		a.grow(f)
	}
	return nil
}

// linkDepth is how many links one name is followed through.
const linkDepth = 8

// aliasMax bounds the names that links give to changed paths. Beyond, anything may have changed.
const aliasMax = 1_000_000

// aliases knows links by where they lead.
type aliases struct {
	links map[string][]string // by target
	known map[string]string   // targets by link
}

// grow adds the names that links give to paths and directories. A link may lie behind a link.
func (a *aliases) grow(f *found) {
	paths, dirs := set(f.paths), set(f.dirs)
	newPaths, newDirs := keys(paths), keys(dirs)
	for range linkDepth {
		var morePaths, moreDirs []string
		add := func(to map[string]bool, list *[]string, name string) {
			if !to[name] {
				to[name] = true
				*list = append(*list, name)
			}
		}
		for _, p := range newPaths {
			a.names(p, func(name string) { add(paths, &morePaths, name) })
		}
		for _, d := range newDirs {
			a.names(d, func(name string) { add(dirs, &moreDirs, name) })
			for target, links := range a.links {
				if _, inside := below(target, d); inside {
					for _, link := range links {
						add(dirs, &moreDirs, link)
					}
				}
			}
		}
		if len(paths)+len(dirs) > aliasMax {
			dirs[""] = true
			break
		}
		newPaths, newDirs = morePaths, moreDirs
	}
	f.paths, f.dirs = keys(paths), keys(dirs)
}

// names calls yield with each name that one link gives to a path.
func (a *aliases) names(path string, yield func(string)) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '/') {
		for _, link := range a.links[path[:end]] {
			yield(link + path[end:])
		}
	}
}

// target is where a link leads, from the top of the work tree; not ok outside of it. Of a link to nothing it is the place that
// its text names.
func (r *repository) target(link string) (string, bool) {
	host := filepath.Join(r.top, link)
	real, err := fsys.Machine().RealPath(host)
	if err != nil {
		text, err := fsys.Machine().Readlink(host)
		if err != nil {
			return "", false
		}
		dir, err := fsys.Machine().RealPath(filepath.Dir(host))
		if err != nil {
			return "", false
		}
		if real = text; !filepath.IsAbs(text) {
			real = filepath.Join(dir, text)
		}
	}
	for _, top := range []string{r.top, r.realTop()} {
		if rest, ok := within(top, real); ok {
			return strings.TrimSuffix(rest, "/"), true
		}
	}
	return "", false
}

func (r *repository) realTop() string {
	real, err := fsys.Machine().RealPath(r.top)
	if err != nil {
		return r.top
	}
	return real
}

// below returns what follows a directory, or nothing, in a path: "/c" for "a/b/c" below "a/b".
func below(path, dir string) (rest string, ok bool) {
	if dir == "" {
		return "/" + path, true
	}
	rest, ok = strings.CutPrefix(path, dir)
	return rest, ok && (rest == "" || rest[0] == '/')
}

func set(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}

func keys(m map[string]bool) []string {
	list := make([]string, 0, len(m))
	for s := range m {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}
