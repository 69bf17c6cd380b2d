package settle

import (
	"cmp"
	"slices"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/standing"
	"github.com/haz-build/haz/fsys"
)

// A task of which all holds but looks at its outputs is *foreseen* (S-70): its key is the one that is written down, since nothing that it is made of is among
// these; so it will be a hit, and its outputs are put back. All its upstreams are foreseen, or settled, so that what they contribute is known as well. What
// is put back must not be what another one has looked at: then that one is not foreseen, and takes the long way after the outputs have come back.

// foresee finds the foreseen tasks among all of which there is a record, given how many are settled.
func (p *pass) foresee(all []*hit, settled int) (list []actors.Foreseen) {
	known := 0
	for _, h := range all {
		if h != nil {
			known++
		}
	}
	if known == settled {
		return nil
	}
	changed := p.changed(all)
	p.close(all, func(i int) bool {
		return p.hits[i] != nil || p.isAsItWas(all, i, func(h *hit) bool { return p.holdButOutputs(h, changed) })
	})
	for i, h := range all {
		if h != nil && p.hits[i] == nil {
			list = append(list, actors.Foreseen{Task: i, Hit: h})
		}
	}
	return list
}

// changes are the places in the tree that change when outputs are put back.
type changes struct {
	paths map[string]bool
	names map[string]bool // last segments of paths
}

func (c *changes) add(path, name string) {
	c.paths[path], c.names[name] = true, true
}

// changed are the outputs that are not as they were, and the folders that get or lose a name with them.
func (p *pass) changed(all []*hit) *changes {
	c := &changes{map[string]bool{}, map[string]bool{}}
	for _, h := range all {
		if h == nil {
			continue
		}
		for at := range p.table.Refs(h.row) {
			if p.seen[at]&holds != 0 || !h.isOutput(p.table, at) {
				continue
			}
			c.add(p.table.Path(at), p.table.Name(at))
			for in := p.table.In(at); in >= 0; in = p.table.In(in) {
				c.add(p.table.Path(in), p.table.Name(in))
				if p.seen[in]&folder != 0 {
					break // what is above it keeps its names
				}
			}
		}
	}
	return c
}

// holdButOutputs reports whether all looks of a task hold but for those at outputs that are no inputs, and none is at what others change. It takes note of
// whether all hold.
func (p *pass) holdButOutputs(h *hit, changed *changes) bool {
	for at, input := range p.table.Refs(h.row) {
		kind := p.table.Look(at).Kind
		switch {
		case p.seen[at]&holds == 0:
			if input || !h.isOutput(p.table, at) {
				return false
			}
			h.differs = true
			h.lacks = h.lacks || p.seen[at]&gone != 0
		case kind != standing.Way && kind != standing.Mode && changed.names[p.table.Name(at)] && changed.paths[p.table.Path(at)]:
			return false
		}
	}
	return true
}

// isOutput reports whether a look is at an output of the hit, as such.
func (h *hit) isOutput(t *standing.Table, at int) bool {
	kind, path := t.Look(at).Kind, t.Path(at)
	return slices.ContainsFunc(h.rec.Outputs, func(o standing.Output) bool { return o.Path == path && kind == lookAt(o.Kind) })
}

// lookAt is how an output is looked at.
func lookAt(kind entry.OutputKind) standing.Kind {
	if kind == entry.Dir {
		return standing.Mode
	}
	return standing.Thing
}

// Lacks reports that an output was seen not to be there.
func (h *hit) Lacks() bool { return h.lacks }

// Inputs are those of the key, without their bytes.
func (h *hit) Inputs() (list []key.Input) {
	t := h.pass.table
	at := map[string]int{}
	for i, input := range t.Refs(h.row) {
		if !input {
			continue
		}
		path, look := t.Path(i), t.Look(i)
		k, known := at[path]
		if !known {
			k = len(list)
			at[path] = k
			list = append(list, key.Input{Path: path, Kind: key.LinkInput})
		}
		switch in := &list[k]; {
		case look.Kind == standing.Target:
			in.Target, in.TargetInfo = key.TargetFile, look.Info
		case look.Info.Kind == fsys.Dir:
			in.Kind, in.Info = key.DirInput, look.Info
		case look.Info.Kind == fsys.File:
			in.Kind, in.Info = key.FileInput, look.Info
		default:
			in.Info = look.Info
		}
	}
	slices.SortFunc(list, func(a, b key.Input) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// again brings the record of a foreseen task up to date: all else that was written down of it holds.
func (r *Run) again(h *hit, u actors.UpToDate) {
	if !h.differs {
		return // so does that
	}
	rec, ok := r.table.Record(h.row)
	if !ok {
		return
	}
	rec.Looks = slices.DeleteFunc(rec.Looks, func(l standing.Look) bool {
		_, isInput := slices.BinarySearch(rec.Inputs, l.Path)
		return !isInput && slices.ContainsFunc(rec.Outputs, func(o standing.Output) bool { return o.Path == l.Path && l.Kind == lookAt(o.Kind) })
	})
	rec.Outputs = nil
	n := &note{Run: r, u: u, rec: rec}
	if n.outputs() && n.entry() {
		r.book.Add(n.rec)
	}
}
