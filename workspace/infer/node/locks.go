package node

import (
	"path"

	"github.com/haz-build/haz/workspace/infer"
)

// lockFiles are the lock file that a package manager writes, and those that it looks for, the first of which counts.
func (w *packages) lockFiles() (usual string, all []string) {
	switch w.manager {
	case pnpm:
		return "/pnpm-lock.yaml", []string{"/pnpm-lock.yaml"}
	case yarn, classic:
		return "/yarn.lock", []string{"/yarn.lock"}
	case bun:
		return "/bun.lock", []string{"/bun.lock", "/bun.lockb"}
	}
	return "/package-lock.json", []string{"/npm-shrinkwrap.json", "/package-lock.json"}
}

// lock is the lock file of the workspace, and whether it is there. Node looks for a package in the folders above that of who asks as well, and
// package managers put the programs of the root into PATH, so that members get at what the root depends on.
func (w *packages) lock(d *infer.Disk) (l infer.Lock, there bool) {
	usual, all := w.lockFiles()
	l.File, l.Climbs = usual, true
	for _, name := range all {
		if d.Has(name) {
			l.File, there = name, true
			break
		}
	}
	l.Files = []string{l.File}
	asks := path.Base(l.File) != "pnpm-lock.yaml" // which lists what its members depend on
	for _, m := range w.all {
		member := infer.Member{Dir: m.dir, Name: m.name.value}
		for i := 0; asks && i < len(m.deps); i++ {
			dep := &m.deps[i]
			member.Needs = append(member.Needs, infer.Need{Name: dep.name.value, Spec: dep.spec, Dev: dep.kind == ofDev})
		}
		l.Members = append(l.Members, member)
	}
	return l, there
}
