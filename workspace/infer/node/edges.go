package node

import (
	"context"
	"path"
	"slices"
	"strings"

	"deps.dev/util/semver"

	"github.com/haz-build/haz/workspace/infer"
)

// linker finds the package that a dependency leads to.
type linker struct {
	*packages
	disk        *infer.Disk
	named       map[string][]*manifest
	overrides   map[string][]override
	constraints map[string]*semver.Constraint // by text; nil: it is no range
	versions    map[string]*semver.Version    // likewise
}

func newLinker(w *packages, d *infer.Disk) *linker {
	return &linker{packages: w, disk: d, named: map[string][]*manifest{}, overrides: map[string][]override{},
		constraints: map[string]*semver.Constraint{}, versions: map[string]*semver.Version{}}
}

// edges are those between the packages: one from a package to a name, by that of its lists which the package manager prefers.
func (w *packages) edges(ctx context.Context, d *infer.Disk) []infer.Edge {
	l := newLinker(w, d)
	for _, m := range w.all {
		if m.name.value != "" {
			l.named[m.name.value] = append(l.named[m.name.value], m)
		}
	}
	for _, o := range w.settings.overrides {
		l.overrides[o.name] = append(l.overrides[o.name], o)
	}
	var edges []infer.Edge
	for _, m := range w.all {
		if ctx.Err() != nil {
			break
		}
		for _, dep := range l.preferred(m) {
			if to := l.target(m, dep); to != nil && to != m {
				edges = append(edges, infer.Edge{From: m.dir, To: to.dir, Kind: string(dep.kind), Place: m.text.Place(dep.name.at.start, dep.name.at.end)})
			}
		}
	}
	return edges
}

// preferred are the dependencies of a package that may lead to another one, each name once: from the list that the package manager
// prefers. Within one list the last one of a name counts.
func (l *linker) preferred(m *manifest) []dependency {
	order := []kind{ofUse, ofOptional, ofDev, ofPeer}
	if l.manager == npm {
		order = []kind{ofDev, ofOptional, ofUse, ofPeer}
	}
	var out []dependency
	var at map[string]int
	for _, d := range m.deps {
		if _, there := at[d.name.value]; !there && l.mayLead(d) {
			if at == nil {
				at = map[string]int{}
			}
			at[d.name.value] = len(out)
			out = append(out, d)
		}
	}
	if out == nil {
		return nil
	}
	for _, d := range m.deps {
		if i, there := at[d.name.value]; there && slices.Index(order, d.kind) <= slices.Index(order, out[i].kind) {
			out[i] = d
		}
	}
	return out
}

// mayLead reports whether a dependency can lead to a package here: most are ranges of packages that are not.
func (l *linker) mayLead(d dependency) bool {
	return l.named[d.name.value] != nil || l.overrides[d.name.value] != nil || isPath(d.spec) || strings.Contains(d.spec, ":")
}

// target is the package that a dependency leads to; nil where it is none of the workspace.
func (l *linker) target(from *manifest, d dependency) *manifest {
	name := d.name.value
	if l.manager == npm && from == l.root {
		if m := l.first(name); m != nil { // the root has its members, whatever it says of them
			return m
		}
	}
	base, spec := from.dir, l.catalog(name, d.spec)
	if o, found := l.overridden(from, name, spec); found { // folders are relative to where it stands
		base, spec = "/", l.catalog(name, o)
	}
	spec = strings.TrimSpace(spec)
	protocol, rest, found := strings.Cut(spec, ":")
	switch {
	case !found && isPath(spec):
		return l.at(base, spec)
	case !found && l.ranges:
		return l.inRange(name, spec)
	case !found:
		return nil
	}
	switch protocol {
	case "workspace":
		return l.workspace(base, name, strings.TrimSpace(rest))
	case "file", "link", "portal":
		return l.at(base, rest)
	case "npm":
		if l.ranges && l.manager == pnpm {
			return l.inRange(alias(name, rest))
		}
		if l.ranges && l.manager == yarn {
			return l.inRange(name, rest)
		}
	}
	return nil
}

// catalog is what a spec means that stands in a catalog; one that is in none is what it is, and leads nowhere.
func (l *linker) catalog(name, spec string) string {
	catalog, found := strings.CutPrefix(spec, "catalog:")
	if !found {
		return spec
	}
	if catalog = strings.TrimSpace(catalog); catalog == defaultCatalog {
		catalog = ""
	}
	if meant, there := l.catalogs[catalog][name]; there {
		return meant
	}
	return spec
}

// overridden is what the root says in the place of a spec.
func (l *linker) overridden(from *manifest, name, spec string) (string, bool) {
	for _, o := range l.overrides[name] {
		if o.of != "" && o.of != from.name.value || o.in != "" && !l.meet(o.in, spec) {
			continue
		}
		of, refers := strings.CutPrefix(o.spec, "$")
		if !refers {
			return o.spec, true
		}
		if l.root != nil {
			for _, d := range l.root.deps {
				if d.name.value == of {
					return d.spec, true
				}
			}
		}
	}
	return "", false
}

// meet reports whether two ranges have a version in common.
func (l *linker) meet(a, b string) bool {
	if a == b {
		return true
	}
	x, y := l.constraint(a), l.constraint(b)
	if x == nil || y == nil {
		return false
	}
	both := x.Set()
	return both.Intersect(y.Set()) == nil && !both.Empty()
}

// workspace reads what stands behind "workspace:".
func (l *linker) workspace(base, name, rest string) *manifest {
	switch {
	case isAny(rest) || l.manager == bun:
		return l.first(name)
	case isPath(rest):
		if m := l.at(base, rest); m != nil {
			return m
		}
		return l.at("/", rest)
	case l.manager == yarn && l.constraint(rest) == nil:
		return l.at("/", rest)
	}
	if name, rest = alias(name, rest); isAny(rest) {
		return l.first(name)
	}
	if m := l.inRange(name, rest); m != nil {
		return m
	}
	for _, m := range l.named[name] { // a package without a version meets any range
		if m.version == "" {
			return m
		}
	}
	return nil
}

// isAny reports whether a range of the protocol `+"`workspace:`"+` is met by whatever is there.
func isAny(text string) bool { return text == "" || text == "*" || text == "^" || text == "~" }

// alias takes "name@range" apart; without a name it is that of the dependency.
func alias(name, spec string) (string, string) {
	if at := strings.LastIndexByte(spec, '@'); at > 0 {
		return spec[:at], spec[at+1:]
	}
	if strings.HasPrefix(spec, "@") {
		return spec, ""
	}
	return name, spec
}

// isPath reports whether a spec is the name of a folder by its looks.
func isPath(spec string) bool {
	return spec == "." || spec == ".." || strings.HasPrefix(spec, "./") || strings.HasPrefix(spec, "../")
}

// at is the package in a folder.
func (l *linker) at(base, rest string) *manifest {
	if strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "~") {
		return nil
	}
	dir := path.Join(base[1:], rest)
	if dir == ".." || strings.HasPrefix(dir, "../") {
		return nil
	}
	dir = path.Join("/", dir)
	if m := l.dirs[dir]; m != nil {
		return m
	}
	return l.dirs[l.disk.RealDir(dir)]
}

func (l *linker) first(name string) *manifest {
	if list := l.named[name]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// inRange is the package of a name whose version meets a range.
func (l *linker) inRange(name, text string) *manifest {
	list := l.named[name]
	if len(list) == 0 {
		return nil
	}
	if (text == "*" || text == "") && l.manager != yarn && l.manager != classic { // also versions before a release
		for _, m := range list {
			if l.manager == npm || m.version != "" {
				return m
			}
		}
		return nil
	}
	c := l.constraint(text)
	if c == nil {
		return nil
	}
	for _, m := range list {
		if v := l.version(m.version); v != nil && c.MatchVersion(v) {
			return m
		}
	}
	return nil
}

// rangeMax is how long a range may be, in bytes.
const rangeMax = 1000

// constraint is a range, nil for a text that is none: a tag, an address.
func (l *linker) constraint(text string) *semver.Constraint {
	if c, known := l.constraints[text]; known {
		return c
	}
	var c *semver.Constraint
	if len(text) <= rangeMax {
		if parsed, err := semver.NPM.ParseConstraint(text); err == nil {
			c = parsed
		}
	}
	l.constraints[text] = c
	return c
}

func (l *linker) version(text string) *semver.Version {
	if v, known := l.versions[text]; known {
		return v
	}
	var v *semver.Version
	if text != "" && len(text) <= rangeMax {
		if parsed, err := semver.NPM.Parse(text); err == nil {
			v = parsed
		}
	}
	l.versions[text] = v
	return v
}
