package golang

import (
	"slices"

	"golang.org/x/mod/semver"

	"github.com/haz-build/haz/workspace/infer"
)

// locks are the sums of modules: with a go.work those of all modules that it uses are one, since what is built is chosen for all of them together.
func (w *world) locks(list []*mod) (locks []infer.Lock) {
	const sums = "go.sum"
	var together *infer.Lock
	var replaced []infer.Need
	if w.work != nil {
		together = &infer.Lock{File: "/go.work.sum"}
		replaced = replacements(replacedOf(w.work.Replace))
		for _, m := range list {
			if m.used {
				replaced = append(replaced, replacements(m.file.replaces)...)
			}
		}
		replaced = onceEach(replaced) // most modules say the same
	}
	for _, m := range list {
		more := replaced
		if together == nil || !m.used {
			more = replacements(m.file.replaces)
		}
		member := infer.Member{Dir: m.dir, Name: m.file.module, Untold: !complete(m.file), Free: m.free, Needs: make([]infer.Need, 0, len(m.file.requires)+len(more))}
		for _, r := range m.file.requires {
			member.Needs = append(member.Needs, infer.Need{Name: r.path, Spec: r.version})
		}
		member.Needs = append(member.Needs, more...)
		file := in(m.dir, sums)
		if together != nil && m.used {
			together.Members, together.Files = append(together.Members, member), append(together.Files, file)
			continue
		}
		locks = append(locks, infer.Lock{File: file, Files: []string{file}, Members: []infer.Member{member}})
	}
	if together != nil && len(together.Members) > 0 {
		slices.Sort(together.Files)
		together.Files = append(together.Files, together.File)
		locks = append(locks, *together)
	}
	return locks
}

// replacements are the modules that stand in the place of others, where they are from elsewhere.
func replacements(list []replaced) (needs []infer.Need) {
	for _, r := range list {
		if r.newVersion != "" {
			needs = append(needs, infer.Need{Name: r.new, Spec: r.newVersion})
		}
	}
	return needs
}

// onceEach are those of a list without the second of two.
func onceEach(list []infer.Need) (once []infer.Need) {
	seen := make(map[infer.Need]bool, len(list))
	for _, n := range list {
		if !seen[n] {
			seen[n] = true
			once = append(once, n)
		}
	}
	return once
}

// complete reports whether a go.mod lists all modules that packages of the module are built from, as the go command keeps it since 1.17.
func complete(m *manifest) bool {
	return m.golang != "" && semver.Compare("v"+m.golang, "v1.17") >= 0
}
