package node

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer"
)

// scripts gives packages their scripts (haz::cfg::111). What package managers run before and after a script of their own accord, preX and postX
// beside X, is part of X. Where only some are meant, the root of several packages has none: its scripts of these names start those of its members.
func (w *packages) scripts(only []string, locked bool, projects []infer.Project) (mistakes diag.List) {
	runner := w.runner()
	runner.Locked = locked
	for i, m := range w.all {
		for _, odd := range m.odd {
			mistakes = append(mistakes, m.text.Mistake(infer.RuleBroken, odd.at.start, odd.at.end, "`scripts`: "+diag.QuoteShort(odd.value)+" is no text"))
		}
		if len(m.scripts) == 0 || only != nil && m == w.root && len(w.all) > 1 {
			continue
		}
		names := make(map[string]bool, len(m.scripts))
		for _, s := range m.scripts {
			names[s.value] = s.value != ""
		}
		p := &projects[i]
		p.Text, p.Runner = string(m.text.Bytes), runner
		for _, s := range m.scripts {
			if names[s.value] && (only == nil || slices.Contains(only, s.value)) && !Around(s.value, names) {
				p.Scripts = append(p.Scripts, infer.Script{Name: s.value, Start: s.at.start, End: s.at.end})
			}
		}
		slices.SortFunc(p.Scripts, func(a, b infer.Script) int { return strings.Compare(a.Name, b.Name) })
		p.Scripts = slices.CompactFunc(p.Scripts, func(a, b infer.Script) bool { return a.Name == b.Name })
	}
	return mistakes
}

// Around reports whether a script is one that package managers run before or after another one of the package.
func Around(name string, scripts map[string]bool) bool {
	before, isBefore := strings.CutPrefix(name, "pre")
	after, isAfter := strings.CutPrefix(name, "post")
	return isBefore && scripts[before] || isAfter && scripts[after]
}

// runner is the package manager of the workspace.
func (w *packages) runner() infer.Runner {
	switch w.manager {
	case pnpm:
		return infer.Runner{Command: []string{"pnpm", "run"}}
	case yarn, classic:
		return infer.Runner{Command: []string{"yarn", "run"}}
	case bun:
		return infer.Runner{Command: []string{"bun", "run"}}
	}
	return infer.Runner{Command: []string{"npm", "run"}, After: []string{"--"}} // without it npm takes options of a script for its own
}
