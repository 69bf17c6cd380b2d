package key

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace"
)

// variables lists the effective variables of a task: what it takes from the host, present or not, and what it sets, which
// wins (4.3). Sorted by name, each name once. Values are bytes (S-12).
func (d *Deriver) variables(t *workspace.Task) []variable {
	if len(t.FromHost)+len(t.Override) == 0 {
		return nil
	}
	vars := make([]variable, 0, len(t.FromHost)+len(t.Override))
	for _, name := range t.FromHost {
		if _, ok := t.Override[name]; ok {
			continue
		}
		v := variable{name: name, host: true}
		if d.o.Env != nil {
			v.value, v.present = d.o.Env(name)
		}
		if !v.present {
			v.value = ""
		}
		vars = append(vars, v)
	}
	for name, value := range t.Override {
		vars = append(vars, variable{name: name, present: true, value: value})
	}
	slices.SortFunc(vars, func(a, b variable) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(vars, func(a, b variable) bool { return a.name == b.name })
}

// Environment is the exact environment of the task, sorted by name (chapter 2, 4.3): nothing that is not declared.
func (d *Deriver) Environment(t *workspace.Task) []string {
	env := []string{}
	for _, v := range d.variables(t) {
		if v.present {
			env = append(env, v.name+"="+v.value)
		}
	}
	return env
}
