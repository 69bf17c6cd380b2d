package settle

import (
	"cmp"
	"context"
	"slices"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/standing"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/messages"
)

// Settled finds the tasks of the plan that are as they were written down, with all their upstreams, and those that are so but for what lies at outputs. It
// changes nothing, but for when entries of the former were used.
func (r *Run) Settled(ctx context.Context) (settled []actors.Settled, foreseen []actors.Foreseen) {
	if r.o.Program == "" {
		return nil, nil
	}
	defer func() {
		if recover() != nil { // a file system of the host may panic; the long way meets it again
			settled, foreseen = nil, nil
		}
	}()
	r.book = standing.NewBook(nil)
	p := &pass{Run: r, ctx: ctx, rewritten: map[string]bool{}}
	settled, foreseen = p.run()
	r.book = standing.NewBook(r.table)
	for _, s := range settled {
		h := s.Hit.(*hit)
		if last := h.rec.Touched; !r.o.Cache.IsTouched(last) {
			m := &cache.Manifest{Key: h.rec.Key}
			r.o.Cache.Touch(m)
			r.book.Touch(h.row, r.o.Cache.LastTouch(m))
		}
	}
	return settled, foreseen
}

// pass is one look at all that is written down of the tasks of a plan.
type pass struct {
	*Run
	ctx       context.Context
	rewritten map[string]bool // tasks with a product list that is newer
	devices   map[uint64]bool // that are mounted as they were
	hits      []*hit          // by position in the plan; nil: not settled, as far as is known
	order     []int           // positions in the plan, upstreams first
	seen      []uint8         // of looks
	shards    [standing.Shards]bool
}

// What is known of a look.
const (
	needed uint8 = 1 << iota
	holds        // it is as it was
	folder       // it is a folder
	gone         // nothing lies there
)

func (p *pass) run() ([]actors.Settled, []actors.Foreseen) {
	payload, mounts := p.o.State.Standing()
	table, ok := standing.Read(payload)
	if !ok || table.Head.World != p.world {
		return nil, nil
	}
	p.table = table
	if !p.lookAtMounts(&mounts) || !p.o.State.ProductsSince(table.Head.Log, func(task string) { p.rewritten[task] = true }) {
		p.table = nil // what is written down from here on is of another log, or of other mounts
		return nil, nil
	}
	p.log = table.Head.Log
	n := len(p.o.Plan.Tasks)
	p.hits = make([]*hit, n)
	if p.parallel(p.ctx, n, p.ask) {
		return nil, nil
	}
	p.sort()
	p.close(p.hits, func(int) bool { return true })
	if p.lookAtTree() || p.lookAtEntries() {
		return nil, nil
	}
	all := slices.Clone(p.hits)
	p.close(p.hits, func(i int) bool { return p.isAsItWas(p.hits, i, p.hold) })
	list := make([]actors.Settled, 0, n)
	for i, h := range p.hits {
		if h != nil {
			list = append(list, actors.Settled{Task: i, Hit: h})
		}
	}
	return list, p.foresee(all, len(list))
}

// ask finds the record of a task, and whether all that is not looked at in the tree is as it was.
func (p *pass) ask(i int) {
	t := p.o.Plan.Tasks[i]
	id := t.ID.String()
	if !wanted(t) || p.rewritten[id] || !actors.Wanted(p.o.FS, p.o.OS, p.o.Env, t) {
		return
	}
	row := p.table.Find(id)
	if row < 0 {
		return
	}
	h := &hit{pass: p, row: row, rec: p.table.Short(row)}
	if !p.table.Result(row, &h.rec) {
		return
	}
	for k := range h.rec.Outputs {
		if p.o.Plan.G.W.Defines(h.rec.Outputs[k].Path) {
			return
		}
	}
	if p.o.Store && p.o.State.Remake(h.rec.Task, h.rec.Key) != "" {
		return
	}
	isInput := func(path string) bool {
		for at, input := range p.table.Refs(row) {
			if input && p.table.Path(at) == path {
				return true
			}
		}
		return false
	}
	if asked, err := p.o.Deriver.AskAgain(p.ctx, t, isInput); err != nil || asked != h.rec.Asked {
		return
	}
	h.own = h.rec.Key
	if len(t.Outputs) > 0 {
		h.own = h.rec.Product
	}
	h.streams = p.o.Deriver.Streams(h.rec.Stdout, h.rec.Stderr)
	p.hits[i] = h
}

// sort puts the tasks of the plan in an order in which upstreams come first.
func (p *pass) sort() {
	plan := p.o.Plan
	waits := make([]int32, len(plan.Tasks))
	p.order = make([]int, 0, len(plan.Tasks))
	for i := range plan.Tasks {
		for _, e := range plan.Up[i] {
			if e.Task != i {
				waits[i]++
			}
		}
		if waits[i] == 0 {
			p.order = append(p.order, i)
		}
	}
	for k := 0; k < len(p.order); k++ {
		i := p.order[k]
		for _, e := range plan.Down[i] {
			if e.Task != i {
				if waits[e.Task]--; waits[e.Task] == 0 {
					p.order = append(p.order, e.Task)
				}
			}
		}
	}
}

// close takes away the hits for which stands says false, and all that lie downstream of what is no hit.
func (p *pass) close(hits []*hit, stands func(i int) bool) {
	done := make([]bool, len(hits)) // also those in a circle, which none is settled of
	for _, i := range p.order {
		ok := hits[i] != nil
		for _, e := range p.o.Plan.Up[i] {
			ok = ok && (e.Task == i || hits[e.Task] != nil && done[e.Task])
		}
		if done[i] = true; !ok || !stands(i) {
			hits[i] = nil
		}
	}
	for i := range hits {
		if !done[i] {
			hits[i] = nil
		}
	}
}

// isAsItWas reports whether the entry of a task is there, its looks are such that it stands, and its upstreams contribute what they did.
func (p *pass) isAsItWas(hits []*hit, i int, stands func(h *hit) bool) bool {
	h := hits[i]
	if !h.whole || !stands(h) {
		return false
	}
	var digests []messages.UpstreamDigests
	for _, e := range p.o.Plan.Up[i] {
		if e.Kind == graph.Hard {
			u := hits[e.Task]
			digests = append(digests, messages.UpstreamDigests{Task: e.Task, Own: u.own, Closure: u.rec.Closure, Streams: u.streams})
		}
	}
	return p.o.Deriver.Contributed(actors.Upstreams(p.o.Plan, i, digests)) == h.rec.Upstreams
}

// hold reports whether all looks of a task hold.
func (p *pass) hold(h *hit) bool {
	for at := range p.table.Refs(h.row) {
		if p.seen[at]&holds == 0 {
			return false
		}
	}
	return true
}

// lookAtMounts reports whether all devices are mounted as they were.
func (p *pass) lookAtMounts(mounts *state.Mounts) bool {
	names := p.table.Names()
	p.devices = map[uint64]bool{}
	for _, dev := range p.table.Devices() {
		if !mounts.Stand(dev, cmp.Or(names[dev], layout.CacheDir)) {
			return false
		}
		p.devices[dev] = true
	}
	return true
}

// lookAtTree looks at all that hits stand on.
func (p *pass) lookAtTree() (failed bool) {
	t := p.table
	p.seen = make([]uint8, t.Looks())
	for _, h := range p.hits {
		if h == nil {
			continue
		}
		for at := range t.Refs(h.row) {
			for ; at >= 0 && p.seen[at] == 0; at = t.In(at) {
				p.seen[at] = needed
			}
		}
	}
	var rows []int
	for i, s := range p.seen {
		if s != 0 {
			rows = append(rows, i)
		}
	}
	failed = p.pieces(p.ctx, len(rows), func(from, to int) {
		in, dir := -1, "" // of the look before: looks of one folder stand side by side
		for _, i := range rows[from:to] {
			if now := t.In(i); now != in {
				if in, dir = now, ""; in >= 0 {
					dir = t.Path(in)
				}
			}
			if in < 0 || dir != "" {
				p.seen[i] |= p.look(i, dir+"/"+t.Name(i))
			}
		}
	})
	if failed {
		return true
	}
	for _, i := range rows { // folders come before what lies in them
		if in := t.In(i); in >= 0 && p.seen[in]&folder == 0 {
			p.seen[i] = needed
		}
	}
	return false
}

// look looks at one of them.
func (p *pass) look(i int, path string) (found uint8) {
	l := p.table.Look(i)
	look := p.o.FS.Lstat
	if l.Kind.Follows() {
		look = p.o.FS.StatInfo
	}
	info, err := look(path)
	if l.Holds(info, err) {
		found |= holds
	}
	if fsys.Absent(err) {
		found |= gone
	}
	if err == nil && info.Kind == fsys.Dir && !l.Kind.Follows() {
		found |= folder
	}
	return found
}

// lookAtEntries looks whether entries are where they were, and reads what tasks have printed.
func (p *pass) lookAtEntries() (failed bool) {
	var used [standing.Shards]string
	var hits []*hit
	for _, h := range p.hits {
		if h != nil {
			_, used[h.rec.Key[0]] = cache.PlacesOf(h.rec.Key)
			hits = append(hits, h)
		}
	}
	failed = p.parallel(p.ctx, len(used), func(i int) {
		if was := p.table.Head.Shards[i]; used[i] != "" && was != (fsys.Info{}) {
			info, err := p.o.FS.Lstat(used[i])
			p.shards[i] = err == nil && info.Same(was)
		}
	})
	odd := 0
	for _, h := range hits {
		if !p.shards[h.rec.Key[0]] {
			odd++
		}
	}
	if odd >= manyLooks {
		p.anew, p.begin = true, p.o.State.Stamp()
	}
	return failed || p.parallel(p.ctx, len(hits), func(i int) { hits[i].whole = p.lookAtEntry(hits[i]) })
}

func (p *pass) lookAtEntry(h *hit) bool {
	if !p.shards[h.rec.Key[0]] {
		dir, _ := cache.PlacesOf(h.rec.Key)
		if info, err := p.o.FS.Lstat(dir); err != nil || !info.Same(h.rec.Entry) || !p.devices[info.Dev] {
			return false
		}
	}
	if h.rec.StdoutLen+h.rec.StderrLen == 0 {
		return true
	}
	stdout, stderr, ok := p.o.Cache.Printed(p.ctx, h.rec.Key, cache.Stream{Len: h.rec.StdoutLen, Digest: h.rec.Stdout}, cache.Stream{Len: h.rec.StderrLen, Digest: h.rec.Stderr})
	h.printed = [2][]byte{stdout, stderr}
	return ok
}
