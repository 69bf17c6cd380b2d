package node

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer"
)

// scripts gives packages their scripts (haz::cfg::111). What package managers run before and after a script of their own accord, preX and postX
// beside X, is part of X.
func (w *packages) scripts(d *infer.Disk, projects []infer.Project) (mistakes diag.List) {
	runner := w.runner(d)
	for i, m := range w.all {
		for _, odd := range m.odd {
			mistakes = append(mistakes, m.text.Mistake(infer.RuleBroken, odd.at.start, odd.at.end, "`scripts`: "+diag.QuoteShort(odd.value)+" is no text"))
		}
		if len(m.scripts) == 0 {
			continue
		}
		names := make(map[string]bool, len(m.scripts))
		for _, s := range m.scripts {
			names[s.value] = s.value != ""
		}
		p := &projects[i]
		p.Text, p.Runner = string(m.text.Bytes), runner
		for _, s := range m.scripts {
			pre, isPre := strings.CutPrefix(s.value, "pre")
			post, isPost := strings.CutPrefix(s.value, "post")
			if names[s.value] && !(isPre && names[pre]) && !(isPost && names[post]) {
				p.Scripts = append(p.Scripts, infer.Script{Name: s.value, Start: s.at.start, End: s.at.end})
			}
		}
		slices.SortFunc(p.Scripts, func(a, b infer.Script) int { return strings.Compare(a.Name, b.Name) })
		p.Scripts = slices.CompactFunc(p.Scripts, func(a, b infer.Script) bool { return a.Name == b.Name })
	}
	return mistakes
}

// runner is the package manager of the workspace.
func (w *packages) runner(d *infer.Disk) infer.Runner {
	r := infer.Runner{Command: []string{"npm", "run"}, After: []string{"--"}} // without it npm takes options of a script for its own
	locks := []string{"/package-lock.json", "/npm-shrinkwrap.json"}
	switch w.manager {
	case pnpm:
		r, locks = infer.Runner{Command: []string{"pnpm", "run"}}, []string{"/pnpm-lock.yaml"}
	case yarn, classic:
		r, locks = infer.Runner{Command: []string{"yarn", "run"}}, []string{"/yarn.lock"}
	case bun:
		r, locks = infer.Runner{Command: []string{"bun", "run"}}, []string{"/bun.lock", "/bun.lockb"}
	}
	for _, lock := range locks {
		if d.Has(lock) {
			r.Lock = lock
			break
		}
	}
	return r
}
