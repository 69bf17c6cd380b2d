// Package lockfile reads the lock files of package managers: which packages, in which versions, each project of a workspace reaches. So a
// package that another project needs can be another one, and this project's tasks are what they were.
//
// No package manager is started. Where a lock file does not say which of several packages is meant, all of them are reached: a key that
// knows too much costs a miss, one that knows too little costs wrong bytes.
package lockfile

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Package is one that a lock file pins.
type Package struct {
	Name    string
	Version string
	// Pin is what else tells it from others of that name and version: checksums, where it is from, the peers that it was resolved with.
	Pin string
}

// A Member is a project whose packages a lock file pins.
type Member struct {
	Dir  string // of its manifest, relative to the folder of the lock file; "." is that folder
	Name string // as the manifest has it
	// Needs are what the manifest asks for. Lock files that list their members are believed instead.
	Needs []Need
	// Uses are the indices of other members that it uses. Lock files that say so themselves are believed instead.
	Uses []int
	// Above are the indices of members whose packages it gets at as well, since they lie in folders above it.
	Above []int
}

// A Need is one dependency of a manifest.
type Need struct {
	Name string
	Spec string // "^1.2.0"; of Go the version
	Dev  bool   // those who use the member do not need it
}

// A Lock is what a lock file says.
type Lock struct {
	Packages []Package // in the order of the lock file
	deps     [][]int32 // of each package
	byName   map[string][]int32
	through  map[int32][]int32 // the members that a package uses, or is a copy of

	members []member
	byDir   map[string]int32
	called  map[string]int32
	needs   func(members []Member) resolver // nil: the lock file lists its members
	unsure  func(n Need) bool               // whether nobody knows which package a need means; nil: it is known of all
}

// member is one that the lock file lists.
type member struct {
	deps, dev []int32
	uses      []int32 // other members
	devUses   []int32
	unsure    bool // a need of it may mean other packages than those in deps
}

// resolver finds the packages that a need means.
type resolver func(n Need) []int32

// readers are those of the lock files, by name.
var readers = map[string]func(text []byte) (*Lock, error){
	"pnpm-lock.yaml":      readPnpm,
	"package-lock.json":   readNpm,
	"npm-shrinkwrap.json": readNpm,
	"yarn.lock":           readYarn,
	"go.sum":              readGo,
	"go.work.sum":         readGoWork,
	"Cargo.lock":          readCargo,
	"uv.lock":             readUv,
}

// Max is how long a lock file may be, in bytes.
const Max = 64 << 20

// Read reads a lock file. The error says what is wrong with it, with the line where that is known.
func Read(name string, text []byte) (*Lock, error) {
	read := readers[path.Base(name)]
	switch {
	case read == nil:
		return nil, fmt.Errorf("%s is no lock file that is read", name)
	case len(text) > Max:
		return nil, fmt.Errorf("it has more than %d MiB", Max>>20)
	}
	l, err := read(text)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// newLock makes one of n packages.
func newLock(n int) *Lock {
	return &Lock{Packages: make([]Package, 0, n), deps: make([][]int32, 0, n), byName: make(map[string][]int32, n), through: map[int32][]int32{}, byDir: map[string]int32{}, called: map[string]int32{}}
}

// add adds a package.
func (l *Lock) add(p Package) int32 {
	at := int32(len(l.Packages))
	l.Packages, l.deps = append(l.Packages, p), append(l.deps, nil)
	l.byName[p.Name] = append(l.byName[p.Name], at)
	return at
}

// addMember adds a member that the lock file lists.
func (l *Lock) addMember(dir, name string) int32 {
	at := int32(len(l.members))
	l.members = append(l.members, member{})
	if dir != "" {
		l.byDir[path.Clean(dir)] = at
	}
	if _, taken := l.called[name]; taken {
		l.called[name] = -1 // nobody knows which of them is meant
	} else if name != "" {
		l.called[name] = at
	}
	return at
}

// Reach lists, for each member, the indices of the packages that it reaches, ascending: by its own lists, by what the members that it uses
// need, and by the lists of those above it. A member that the lock file does not list, while it lists others, reaches all: known is false of it,
// of those that are below it, and where nobody knows which package a need means.
func (l *Lock) Reach(members []Member) (reached [][]int32, known []bool) {
	reached, known = make([][]int32, len(members)), make([]bool, len(members))
	w := walk{l: l, seen: make([]int32, len(l.Packages))}
	if l.needs != nil {
		w.resolve(members)
	}
	w.met = make([]int32, len(w.members()))
	for i := range members {
		var from []int32
		known[i] = true
		for _, m := range append([]int{i}, members[i].Above...) {
			at := int32(m)
			if l.needs == nil {
				var listed bool
				at, listed = l.member(members[m])
				known[i] = known[i] && listed
			}
			from = append(from, at)
		}
		if !known[i] {
			reached[i] = l.all()
			continue
		}
		reached[i], known[i] = w.from(from)
		if !known[i] {
			reached[i] = l.all()
		}
	}
	return reached, known
}

func (l *Lock) all() []int32 {
	list := make([]int32, len(l.Packages))
	for p := range list {
		list[p] = int32(p)
	}
	return list
}

// member is the listed one that a member of the workspace is.
func (l *Lock) member(m Member) (at int32, ok bool) {
	if at, ok = l.byDir[path.Clean(m.Dir)]; !ok {
		at, ok = l.called[m.Name]
	}
	return at, ok && at >= 0
}

// walk goes from members to packages.
type walk struct {
	l     *Lock
	own   []member // of a lock file that does not list them
	round int32
	seen  []int32 // by package: the round in which it was
	met   []int32 // the same of members
}

func (w *walk) members() []member {
	if w.own != nil {
		return w.own
	}
	return w.l.members
}

// resolve makes the members of what their manifests say.
func (w *walk) resolve(members []Member) {
	w.own = make([]member, len(members))
	find := w.l.needs(members)
	called := make(map[string]int32, len(members))
	for i, m := range members {
		called[m.Name] = int32(i)
	}
	for i, m := range members {
		for _, n := range m.Needs {
			to := &w.own[i].deps
			if n.Dev {
				to = &w.own[i].dev
			}
			found := find(n)
			w.own[i].unsure = w.own[i].unsure || w.l.unsure != nil && w.l.unsure(n)
			*to = append(*to, found...)
			if at, local := called[n.Name]; local && len(found) == 0 && at != int32(i) {
				if n.Dev {
					w.own[i].devUses = append(w.own[i].devUses, at)
				} else {
					w.own[i].uses = append(w.own[i].uses, at)
				}
			}
		}
		for _, u := range m.Uses {
			w.own[i].uses = append(w.own[i].uses, int32(u))
		}
	}
}

// from lists what members reach together. sure says that it is all there is.
func (w *walk) from(starts []int32) (out []int32, sure bool) {
	w.round++
	var packages, members []int32
	sure = true
	list := w.members()
	meet := func(to []int32) {
		for _, m := range to {
			if w.met[m] != w.round {
				w.met[m] = w.round
				members = append(members, m)
			}
		}
	}
	reach := func(to []int32) {
		for _, p := range to {
			if w.seen[p] == w.round {
				continue
			}
			w.seen[p] = w.round
			out, packages = append(out, p), append(packages, p)
		}
	}
	meet(starts)
	for _, at := range starts {
		reach(list[at].dev)
		meet(list[at].devUses)
	}
	for len(members)+len(packages) > 0 {
		if n := len(members); n > 0 {
			m := &list[members[n-1]]
			members = members[:n-1]
			sure = sure && !m.unsure
			reach(m.deps)
			meet(m.uses)
			continue
		}
		p := packages[len(packages)-1]
		packages = packages[:len(packages)-1]
		reach(w.l.deps[p])
		meet(w.l.through[p])
	}
	slices.Sort(out)
	return out, sure
}

// A Change is a package that one of two lists has and the other one has not, or in another version.
type Change struct {
	Name     string
	Old, New []string // versions, sorted; equal ones are pinned otherwise
}

// Diff says how a list of packages became another one, by name.
func Diff(was, is []Package) []Change {
	type both struct{ was, is map[Package]bool }
	byName := map[string]*both{}
	put := func(p Package, of func(*both) map[Package]bool) {
		b := byName[p.Name]
		if b == nil {
			b = &both{map[Package]bool{}, map[Package]bool{}}
			byName[p.Name] = b
		}
		of(b)[p] = true
	}
	for _, p := range was {
		put(p, func(b *both) map[Package]bool { return b.was })
	}
	for _, p := range is {
		put(p, func(b *both) map[Package]bool { return b.is })
	}
	var out []Change
	for name, b := range byName {
		c := Change{Name: name, Old: lacking(b.was, b.is), New: lacking(b.is, b.was)}
		if len(c.Old)+len(c.New) > 0 {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// lacking are the versions of those that the others lack.
func lacking(of, others map[Package]bool) (versions []string) {
	for p := range of {
		if !others[p] {
			versions = append(versions, p.Version)
		}
	}
	slices.Sort(versions)
	return slices.Compact(versions)
}

// cutLast cuts around the last sep that is not the first byte.
func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i > 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
