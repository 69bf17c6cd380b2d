package golang

import (
	"slices"

	"github.com/haz-build/haz/workspace/infer"
)

// replaces are what replace directives say, by module path.
type replaces map[string][]replace

type replace struct {
	version string // it is of this version alone; "" is any
	dir     string // where it leads to; "" is out of the workspace, or to another module of the network
}

// replaces reads directives that stand in a folder.
func (w *world) replaces(dir string, list []replaced) replaces {
	all := make(replaces, len(list))
	for _, r := range list {
		to := ""
		if r.newVersion == "" {
			to, _ = w.ways.To(dir, r.new)
		}
		all[r.old] = append(all[r.old], replace{r.oldVersion, to})
	}
	return all
}

// add is as if these were said as well; most modules say the same.
func (rs replaces) add(old string, list []replace) {
	for _, r := range list {
		if !slices.Contains(rs[old], r) {
			rs[old] = append(rs[old], r)
		}
	}
}

// folders appends the folders of the workspace that they lead to.
func (rs replaces) folders(to []string) []string {
	for _, list := range rs {
		for _, r := range list {
			if r.dir != "" {
				to = append(to, r.dir)
			}
		}
	}
	return to
}

// of is where a module of some version comes from instead. One of that version goes before one of any.
func (rs replaces) of(path, version string) (to replace, ok bool) {
	for _, r := range rs[path] {
		if r.version == version {
			return r, true
		}
		if r.version == "" && !ok {
			to, ok = r, true
		}
	}
	return to, ok
}

// target is the folder that a module finds another one in; "" when it is none of the workspace.
//
// Modules of go.work find each other whatever versions they ask for, and what one of them replaces is replaced for all. A module that
// go.work does not use has its own replaces first. Without go.work there are only those, as the go command has it in its folder.
func (w *world) target(m *mod, path, version string) string {
	if !m.used {
		if r, ok := m.own.of(path, version); ok {
			return w.known(r.dir)
		}
	}
	if main := w.mains[path]; main != nil {
		return main.dir
	}
	r, _ := w.shared.of(path, version)
	return w.known(r.dir)
}

func (w *world) known(dir string) string {
	if w.modules[dir] == nil {
		return ""
	}
	return dir
}

// require finds the edges of a module that stand in its go.mod.
func (w *world) require(m *mod) {
	m.uses, m.free = map[string]bool{m.dir: true}, true
	for _, r := range m.file.requires {
		switch to := w.target(m, r.path, r.version); to {
		case m.dir:
		case "":
			m.free = false
		default:
			m.uses[to] = true
			m.edges = append(m.edges, infer.Edge{From: m.dir, To: to, Kind: "require", Place: r.at.place(m.text)})
		}
	}
}
