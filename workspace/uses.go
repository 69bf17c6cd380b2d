package workspace

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
)

// Use is a project that another one uses, by name, and where that is said: in its haz.yml, or in a manifest.
type Use struct {
	Name  string
	Place diag.Place
}

// SetUses keeps what a project uses, in any order: by name, each once, where it is said first.
func (p *Project) SetUses(uses []Use) {
	slices.SortStableFunc(uses, func(a, b Use) int { return strings.Compare(a.Name, b.Name) })
	p.Uses = slices.CompactFunc(uses, func(a, b Use) bool { return a.Name == b.Name })
}

// Using are the projects that p uses, itself or through others, and p: by name. What is not checked out is none of them.
func (w *Workspace) Using(p *Project) []*Project {
	seen := map[*Project]bool{p: true}
	found := []*Project{p}
	for at := 0; at < len(found); at++ {
		for _, u := range found[at].Uses {
			if q := w.Project(u.Name); q != nil && !seen[q] {
				seen[q] = true
				found = append(found, q)
			}
		}
	}
	slices.SortFunc(found, func(a, b *Project) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// Way is how a project comes to use another one for the sake of a task: the relations of a shortest way, by projects that lack the task. nil when
// there is none.
func (w *Workspace) Way(p, to *Project, task string) []Use {
	type step struct {
		from *Project
		use  Use
	}
	came := map[*Project]step{p: {}}
	for todo := []*Project{p}; len(todo) > 0; todo = todo[1:] {
		for _, u := range todo[0].Uses {
			q := w.Project(u.Name)
			if q == nil {
				continue
			}
			if _, seen := came[q]; seen {
				continue
			}
			came[q] = step{todo[0], u}
			if q == to {
				var way []Use
				for at := q; at != p; at = came[at].from {
					way = append(way, came[at].use)
				}
				slices.Reverse(way)
				return way
			}
			if len(q.named(task)) == 0 {
				todo = append(todo, q)
			}
		}
	}
	return nil
}

// relations is who uses whom, as positions: those of Workspace.Projects, and behind them those of Workspace.Absent.
type relations struct {
	at    map[*Project]int32
	uses  [][]int32
	known map[string]*lookThrough // by the name of a task

	member []int32 // by project: the set, counted, that it was put in last
	round  int32
}

// relate makes the relations of a workspace.
func (w *Workspace) relate() *relations {
	n := len(w.Projects)
	r := &relations{at: make(map[*Project]int32, n), uses: make([][]int32, n+len(w.Absent)), known: map[string]*lookThrough{}}
	r.member = make([]int32, len(r.uses))
	byName := make(map[string]int32, len(r.uses))
	unnamed := int32(-1)
	for i := range w.Absent {
		if at := int32(n + i); w.Absent[i].Name != "" {
			byName[w.Absent[i].Name] = at
			for _, name := range w.Absent[i].Aliases {
				byName[name] = at
			}
		} else if unnamed < 0 {
			unnamed = at
		}
	}
	for i, p := range w.Projects {
		byName[p.Name], r.at[p] = int32(i), int32(i)
	}
	for _, a := range w.Aliases { // of what is not checked out, uses are as they were written
		byName[a.Name] = r.at[a.Project]
	}
	find := func(at int, name string) {
		if u, ok := byName[name]; ok {
			r.uses[at] = append(r.uses[at], u)
		} else if unnamed >= 0 { // which nobody can tell
			r.uses[at] = append(r.uses[at], unnamed)
		}
	}
	for i, p := range w.Projects {
		for _, u := range p.Uses {
			find(i, u.Name)
		}
	}
	for i := range w.Absent {
		for _, name := range w.Absent[i].Uses {
			find(n+i, name)
		}
	}
	return r
}

// usedTasks is what ^uses:task selects for a project (DAG-023), in canonical order, and a project that has the task, or may have it, and is not
// checked out; nil when there is none. p is not among those that it uses, whoever uses it.
func (w *Workspace) usedTasks(p *Project, task string) ([]*Task, *Absent) {
	x := w.byName()
	if len(p.Uses) == 0 || len(x.byTask[task]) == 0 && len(w.Absent) == 0 {
		return nil, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.relations == nil {
		x.relations = w.relate()
	}
	l := x.relations.known[task]
	if l == nil {
		l = w.newLookThrough(x.relations, task)
		x.relations.known[task] = l
	}
	at, ok := x.relations.at[p]
	if !ok {
		return nil, nil
	}
	id := l.met(at)
	if set := l.sets[id]; len(set) > 0 && int(set[len(set)-1]) >= len(w.Projects) {
		return l.selected(id), &w.Absent[int(set[len(set)-1])-len(w.Projects)]
	}
	return l.selected(id), nil
}

// lookThrough knows, for tasks of one name, which projects that have one are met first on the ways from a project to what it uses. What is met
// through projects without the task is found once for each circle of these (Tarjan 1972, with its stack on the heap), and equal sets are one
// set: chains and nets of thousands cost what they have of edges.
type lookThrough struct {
	*relations
	has   map[int32][]*Task // by project; of one that is not checked out, nothing
	sets  [][]int32         // of projects, sorted; the first is empty
	equal map[uint32][]int32
	found [][]*Task // by set, made on first use

	seen       map[int32]*looked
	open, path []int32
}

// looked is a project that was come to.
type looked struct {
	number, low int32 // of the walk; number 0: not walked through
	next        int32 // of what it uses
	set         int32 // -1 as long as it is not known
}

func (w *Workspace) newLookThrough(r *relations, task string) *lookThrough {
	l := &lookThrough{relations: r, has: map[int32][]*Task{}, sets: [][]int32{nil}, equal: map[uint32][]int32{}, seen: map[int32]*looked{}}
	for _, t := range w.byName().byTask[task] {
		at := r.at[t.Project]
		l.has[at] = append(l.has[at], t)
	}
	for i := range w.Absent {
		if w.Absent[i].has("", task) {
			l.has[int32(len(w.Projects)+i)] = nil
		}
	}
	return l
}

func (l *lookThrough) looked(p int32) *looked {
	s := l.seen[p]
	if s == nil {
		s = &looked{set: -1}
		l.seen[p] = s
	}
	return s
}

// met is the set of a project.
func (l *lookThrough) met(p int32) int32 {
	s := l.looked(p)
	switch _, has := l.has[p]; {
	case s.set >= 0:
	case !has:
		l.walk(p)
	default:
		for _, u := range l.uses[p] {
			if _, has := l.has[u]; !has && l.looked(u).set < 0 {
				l.walk(u)
			}
		}
		s.set = l.join([]int32{p})
	}
	return s.set
}

// walk finds the sets of a project that lacks the task, and of all that are looked through from there.
func (l *lookThrough) walk(start int32) {
	counter := int32(0)
	enter := func(p int32) {
		counter++
		s := l.looked(p)
		s.number, s.low = counter, counter
		l.open, l.path = append(l.open, p), append(l.path, p)
	}
	enter(start)
	for len(l.path) > 0 {
		p := l.path[len(l.path)-1]
		s := l.looked(p)
		if uses := l.uses[p]; int(s.next) < len(uses) {
			u := uses[s.next]
			s.next++
			if _, has := l.has[u]; has {
				continue
			}
			switch of := l.looked(u); {
			case of.set >= 0:
			case of.number == 0:
				enter(u)
			default:
				s.low = min(s.low, of.number)
			}
			continue
		}
		l.path = l.path[:len(l.path)-1]
		if s.low == s.number {
			l.complete(p)
		} else { // the first of a circle is the last to be left, so there is one above
			up := l.looked(l.path[len(l.path)-1])
			up.low = min(up.low, s.low)
		}
	}
}

// complete gives the projects of a circle, or one alone, their set.
func (l *lookThrough) complete(first int32) {
	at := len(l.open) - 1
	for l.open[at] != first {
		at--
	}
	circle := l.open[at:]
	l.open = l.open[:at]
	set := l.join(circle)
	for _, p := range circle {
		l.looked(p).set = set
	}
}

// join makes the set of projects that are looked through together, which are not in it. The sets of what they use are known.
func (l *lookThrough) join(circle []int32) int32 {
	l.round++
	for _, p := range circle {
		l.member[p] = l.round
	}
	var set []int32
	add := func(p int32) {
		if l.member[p] != l.round {
			l.member[p] = l.round
			set = append(set, p)
		}
	}
	var others []int32 // sets, each once
	joined := map[int32]bool{}
	for _, p := range circle {
		for _, u := range l.uses[p] {
			if _, has := l.has[u]; has {
				add(u)
			} else if id := l.looked(u).set; id > 0 && !joined[id] {
				joined[id] = true
				others = append(others, id)
			}
		}
	}
	for _, id := range others {
		for _, p := range l.sets[id] {
			add(p)
		}
	}
	slices.Sort(set)
	return l.intern(set)
}

// intern is the number of a set, which is sorted: one for all that are equal.
func (l *lookThrough) intern(set []int32) int32 {
	if len(set) == 0 {
		return 0
	}
	hash := uint32(2166136261)
	for _, p := range set {
		hash = (hash ^ uint32(p)) * 16777619
	}
	for _, id := range l.equal[hash] {
		if slices.Equal(l.sets[id], set) {
			return id
		}
	}
	id := int32(len(l.sets))
	l.sets = append(l.sets, set)
	l.equal[hash] = append(l.equal[hash], id)
	return id
}

// selected are the tasks of a set.
func (l *lookThrough) selected(set int32) []*Task {
	if more := len(l.sets) - len(l.found); more > 0 {
		l.found = append(l.found, make([][]*Task, more)...)
	}
	if l.found[set] == nil {
		for _, p := range l.sets[set] {
			l.found[set] = append(l.found[set], l.has[p]...)
		}
	}
	return l.found[set]
}
