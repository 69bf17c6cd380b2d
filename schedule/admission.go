package schedule

import (
	"container/heap"
	"math/bits"
	"slices"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
)

// admissionConfig is what admission knows from the plan.
type admissionConfig struct {
	Rules
	settled *Settled // nobody asks for them
	tasks   []needs  // of those that are left, by their places
	tagCaps []int    // of tags, by number (EXEC-005)
	// earliest is, for each task, the canonically earliest among the task and all that (transitively) wait for it; see blockedByUnsettled.
	// Nobody asks for it but with cap 1.
	earliest []int
}

// of is what a task needs.
func (c *admissionConfig) of(task int) *needs { return &c.tasks[c.settled.Place(task)] }

// needs is what one task's process needs besides a slot.
type needs struct {
	tags      []int // capped tags of its project
	mutex     int   // number of the lock, -1: none
	shared    bool
	conflicts []int // tasks whose outputs may overlap (S-07), sorted
	alone     bool  // no other process beside it: it has the terminal
}

// numbers gives names the numbers 0, 1, ….
type numbers map[string]int

func (m numbers) of(name string) (number int, fresh bool) {
	i, known := m[name]
	if !known {
		i = len(m)
		m[name] = i
	}
	return i, !known
}

// configure numbers the capped tags and the mutexes of a plan.
func configure(p *graph.Plan, r Rules, settled *Settled) admissionConfig {
	c := admissionConfig{Rules: r, settled: settled, tasks: make([]needs, settled.Left(len(p.Tasks)))}
	if r.Cap == 1 {
		c.earliest = earliestBelow(p)
	}
	tags, locks := numbers{}, numbers{}
	for i, t := range p.Tasks {
		if settled.Has(i) {
			continue
		}
		n := needs{mutex: -1, conflicts: p.Conflicts[i], alone: t.Interactive}
		for _, g := range t.Project.Tags {
			if limit, capped := p.G.W.Settings.TagCaps[g]; capped {
				k, fresh := tags.of(g)
				if fresh {
					c.tagCaps = append(c.tagCaps, limit)
				}
				n.tags = append(n.tags, k)
			}
		}
		slices.Sort(n.tags)
		if t.Mutex != nil {
			name := "/" + t.Mutex.Name // MUTEX-001: of the workspace, or of one project
			if t.Mutex.ProjectScope {
				name = t.Project.Name + "/" + t.Mutex.Name
			}
			n.mutex, _ = locks.of(name)
			n.shared = t.Mutex.Shared
		}
		*c.of(i) = n
	}
	return c
}

// Admission grants everything a process needs in one step, or nothing (2.2). A queueing task holds nothing.
//
// Whenever something changes, the queue is walked in canonical order; one that does not fit does not stop those after it.
// Waiting costs nothing, and the waiters of one mutex are served in the order in which they were first refused (S-08).
//
// What holds between two steps: who is in holds is counted once in used, in each capped tag of its project and in its mutex, and
// nobody else is; none of them exceeds its cap; two tasks that may write one path are never both in busy; and nobody in the queue
// fits, since whatever could make one fit walks the queue. Requests and returns carry the attempt of their task, and one older
// than the latest counts for nothing (seen): so a message that comes late or twice neither takes nor gives anything. All is
// granted at once or nothing, because who held one thing and waited for another could wait in a circle.
type Admission struct {
	c admissionConfig

	// ready holds the tasks that are being resolved: they count as granted for canonically later ones (S-37).
	ready bitset
	queue bitset // ask for a slot
	clear bitset // ask for the outputs condition alone
	holds bitset // hold a slot, tags and mutex
	busy  bitset // hold the outputs condition
	held  bitset // wait for another haz, which may take any time

	slots int // number of the latest request for other slots
	// ordered: with cap 1 from the beginning on, so that the order of processes is the same in every run (S-37).
	ordered bool

	seen     []uint32 // attempt of the latest request or return of each task
	wanted   []uint32 // attempt to answer
	settled  bitset   // was ready once: a late TasksReady does not make it ready again
	restored bitset   // had a hit: may be admitted after the gate was closed with SparesRestores

	used    int
	lonely  bool // who holds a slot is to be alone
	tagUsed []int
	locks   []lockState

	unsettled minHeap // only with cap 1: tasks whose end may make a canonically earlier one ready
	ended     bitset

	closed, sparesRestores bool
	spared                 bitset // who may still be admitted then
}

type lockState struct {
	exclusive bool
	holders   int
	waiters   []int // tasks in the order of their first refusal
}

// NewAdmission makes a gate with nothing granted, for the tasks of a plan that are left.
func NewAdmission(p *graph.Plan, r Rules, settled *Settled) *Admission {
	return newAdmission(len(p.Tasks), configure(p, r, settled))
}

func newAdmission(n int, c admissionConfig) *Admission {
	locks := 0
	for _, t := range c.tasks {
		locks = max(locks, t.mutex+1)
	}
	return &Admission{c: c, ordered: c.Cap == 1,
		ready: newBitset(n), queue: newBitset(n), clear: newBitset(n), holds: newBitset(n), busy: newBitset(n),
		settled: newBitset(n), restored: newBitset(n), ended: newBitset(n), held: newBitset(n), spared: newBitset(n),
		seen: make([]uint32, n), wanted: make([]uint32, n),
		tagUsed: make([]int, len(c.tagCaps)), locks: make([]lockState, locks)}
}

// Step tells the gate what happened and returns the grants, in canonical order.
func (a *Admission) Step(m any) []Command {
	switch m := m.(type) {
	case messages.TasksReady:
		a.tasksReady(m)
	case messages.TaskHeldUp:
		if m.Attempt < a.seen[m.Task] || a.ended.has(m.Task) {
			return nil
		}
		a.letGo(m.Task)
		a.seen[m.Task] = m.Attempt
		a.settled.add(m.Task)
		set, clear := a.held, a.ready
		if m.Resolving {
			set, clear = a.ready, a.held
		}
		set.add(m.Task)
		clear.remove(m.Task)
	case messages.AskSlot:
		a.ask(m.Ref, a.queue)
	case messages.AskOutputs:
		a.restored.add(m.Task)
		a.ask(m.Ref, a.clear)
	case messages.ReturnSlot:
		if a.taken(m.Ref) {
			a.returnSlot(m.Task)
		}
	case messages.CloseAdmission:
		a.close(m.SparesRestores, m.Spared)
	case messages.SetSlots:
		if m.N <= a.slots {
			return nil
		}
		a.setSlots(m)
	default:
		return nil
	}
	return a.walk()
}

func (a *Admission) tasksReady(m messages.TasksReady) {
	for _, t := range m.Ready {
		if !a.settled.has(t) && !a.ended.has(t) {
			a.settled.add(t)
			a.ready.add(t)
			if a.ordered {
				heap.Push(&a.unsettled, earliest{a.c.earliest[t], t})
			}
		}
	}
	for _, t := range m.Ended {
		a.ended.add(t)
		a.ready.remove(t)
		a.held.remove(t)
		a.letGo(t)
	}
	if m.Stop {
		a.close(true, m.Spared)
	}
}

// close grants nothing any more, but to those who are spared (who was once stays so: it ends by itself when it is not any more), and,
// where it spares restores, to tasks that had a hit.
func (a *Admission) close(sparesRestores bool, spared []int) {
	a.closed, a.sparesRestores = true, sparesRestores && (!a.closed || a.sparesRestores)
	for _, t := range spared {
		a.spared.add(t)
	}
}

// admits reports whether a task is granted anything at all.
func (a *Admission) admits(t int) bool {
	return !a.closed || a.spared.has(t) || a.sparesRestores && a.restored.has(t)
}

func (a *Admission) ask(r messages.Ref, q bitset) {
	if r.Attempt <= a.seen[r.Task] || a.ended.has(r.Task) {
		return // seen before, or its task has ended before it arrived
	}
	// Who asks holds nothing any more, even if its return is still on the way.
	a.letGo(r.Task)
	a.seen[r.Task], a.wanted[r.Task] = r.Attempt, r.Attempt
	a.settled.add(r.Task)
	a.ready.remove(r.Task)
	a.held.remove(r.Task)
	q.add(r.Task)
}

// letGo takes back all that a task holds or asks for.
func (a *Admission) letGo(t int) {
	a.returnSlot(t)
	a.clear.remove(t)
	a.busy.remove(t)
}

// taken notes a return. One that is older than the latest request is about an earlier grant, long given back.
func (a *Admission) taken(r messages.Ref) bool {
	if r.Attempt < a.wanted[r.Task] {
		return false
	}
	a.seen[r.Task] = max(a.seen[r.Task], r.Attempt)
	a.ready.remove(r.Task)
	a.settled.add(r.Task)
	return true
}

// returnSlot gives back what is held, once, and leaves the queue: slot, tags and mutex together (MUTEX-005, MUTEX-006).
func (a *Admission) returnSlot(t int) {
	n := a.c.of(t)
	if a.queue.has(t) {
		a.queue.remove(t)
		if n.mutex >= 0 {
			a.locks[n.mutex].forget(t)
		}
	}
	if !a.holds.has(t) {
		return
	}
	a.holds.remove(t)
	a.used--
	a.lonely = false
	for _, g := range n.tags {
		a.tagUsed[g]--
	}
	if n.mutex >= 0 {
		l := &a.locks[n.mutex]
		if l.holders--; l.holders == 0 {
			l.exclusive = false
		}
	}
}

func (l *lockState) forget(t int) {
	for i, w := range l.waiters {
		if w == t {
			l.waiters = append(l.waiters[:i], l.waiters[i+1:]...)
			return
		}
	}
}

// walk grants what fits, in canonical order. Tasks that are ready but not yet settled are met on the way and counted as if
// they had been granted.
func (a *Admission) walk() []Command {
	var grants []Command
	for t := range a.clear.all() {
		if a.outputsFree(t, nil) && a.admits(t) {
			a.clear.remove(t)
			a.busy.add(t)
			grants = append(grants, a.grant(t))
		}
	}
	if a.queue.empty() || a.lonely || a.closed && !a.sparesRestores && a.spared.empty() {
		return grants
	}
	v := view{used: a.used}
	for i := range a.queue {
		for w := a.queue[i] | a.ready[i]; w != 0; w &= w - 1 {
			if v.used >= a.c.Cap {
				return grants
			}
			t := i<<6 + bits.TrailingZeros64(w)
			if !a.queue.has(t) {
				v.count(a, t)
				continue
			}
			if a.blockedByUnsettled(t) || a.waitsToBeAlone(t, &v) {
				return grants // and so is every later one
			}
			if a.fits(t, &v) {
				a.take(t)
				v.used++
				grants = append(grants, a.grant(t))
			}
			if a.lonely {
				return grants
			}
		}
	}
	return grants
}

func (a *Admission) grant(t int) Command {
	return Command{ToTask, messages.SlotGranted{Ref: messages.Ref{Run: a.c.Run, Task: t, Attempt: a.wanted[t]}}}
}

// waitsToBeAlone reports whether t has to wait until nobody else is at work (EXEC-060). Nobody overtakes it meanwhile, or a run with many tasks
// would end before it came to it.
func (a *Admission) waitsToBeAlone(t int, v *view) bool {
	return a.c.of(t).alone && v.used > 0 && a.admits(t)
}

// fits tests the conditions of 2.2 (EXEC-006). A refusal by the mutex alone is remembered: that is the order of its waiters.
func (a *Admission) fits(t int, v *view) bool {
	if !a.admits(t) {
		return false
	}
	n := a.c.of(t)
	for _, g := range n.tags {
		if a.tagUsed[g]+v.extra[g] >= a.c.tagCaps[g] {
			return false
		}
	}
	if !a.outputsFree(t, v) {
		return false
	}
	if n.mutex < 0 {
		return true
	}
	if v.locked(n) {
		return false // not a refusal: the earlier one may be refused yet, and then it is first
	}
	l := &a.locks[n.mutex]
	if l.blocks(t, n.shared, &a.c) {
		l.refuse(t)
		return false
	}
	return true
}

// blocks reports whether a holder, or a waiter refused earlier, stands before t.
func (l *lockState) blocks(t int, shared bool, c *admissionConfig) bool {
	if l.holders > 0 && (l.exclusive || !shared) {
		return true
	}
	for _, w := range l.waiters {
		if w == t {
			return false
		}
		if !shared || !c.of(w).shared {
			return true
		}
	}
	return false
}

func (l *lockState) refuse(t int) {
	for _, w := range l.waiters {
		if w == t {
			return
		}
	}
	l.waiters = append(l.waiters, t)
}

// outputsFree reports whether no task at work may write what t may write (S-07).
func (a *Admission) outputsFree(t int, v *view) bool {
	for _, c := range a.c.of(t).conflicts {
		if a.busy.has(c) || v != nil && c < t && a.ready.has(c) {
			return false
		}
	}
	return true
}

// blockedByUnsettled keeps the order of processes the same in every run with cap 1 (S-37): a task that has not ended may
// make a canonically earlier one ready at any moment, and whether it does so before t is looked at is a matter of chance.
// So t waits until nothing of that kind is left. Tasks in the queue do not count: they wait for t's slot themselves.
func (a *Admission) blockedByUnsettled(t int) bool {
	if !a.ordered {
		return false
	}
	var aside []earliest
	blocked := false
	for len(a.unsettled) > 0 && a.unsettled[0].first < t && !blocked {
		e := a.unsettled[0]
		switch {
		case a.ended.has(e.task):
			heap.Pop(&a.unsettled)
		case a.queue.has(e.task) || a.held.has(e.task):
			aside = append(aside, heap.Pop(&a.unsettled).(earliest))
		default:
			blocked = true
		}
	}
	for _, e := range aside {
		heap.Push(&a.unsettled, e)
	}
	return blocked
}

func (a *Admission) take(t int) {
	n := a.c.of(t)
	a.queue.remove(t)
	a.holds.add(t)
	a.busy.add(t)
	a.used++
	a.lonely = n.alone
	for _, g := range n.tags {
		a.tagUsed[g]++
	}
	if n.mutex >= 0 {
		l := &a.locks[n.mutex]
		l.forget(t)
		l.holders++
		l.exclusive = l.exclusive || !n.shared
	}
}

// view counts, during one walk, the tasks met that are not settled yet, as if they had been granted.
type view struct {
	used  int
	extra map[int]int  // tag → how many
	locks map[int]bool // lock → some unsettled one wants it exclusively
}

func (v *view) count(a *Admission, t int) {
	n := a.c.of(t)
	v.used++
	for _, g := range n.tags {
		if v.extra == nil {
			v.extra = map[int]int{}
		}
		v.extra[g]++
	}
	if n.mutex >= 0 {
		if v.locks == nil {
			v.locks = map[int]bool{}
		}
		v.locks[n.mutex] = v.locks[n.mutex] || !n.shared
	}
}

func (v *view) locked(n *needs) bool {
	exclusive, met := v.locks[n.mutex]
	return met && (exclusive || !n.shared)
}

type earliest struct{ first, task int }

// minHeap is ordered by first, then task.
type minHeap []earliest

func (h minHeap) Len() int { return len(h) }
func (h minHeap) Less(i, j int) bool {
	return h[i].first < h[j].first || h[i].first == h[j].first && h[i].task < h[j].task
}
func (h minHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *minHeap) Push(x any)   { *h = append(*h, x.(earliest)) }
func (h *minHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// earliestBelow is, for each task of a plan, the canonically earliest among the task and all that wait for it, directly or not, by
// edges of any kind.
func earliestBelow(p *graph.Plan) []int {
	n := len(p.Tasks)
	first, left := make([]int, n), make([]int, n)
	var stack []int
	for i := range p.Tasks {
		first[i] = i
		if left[i] = len(p.Downstreams(i)); left[i] == 0 {
			stack = append(stack, i)
		}
	}
	for len(stack) > 0 { // downstream first; the plan has no cycles (DAG-014)
		t := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, u := range p.Upstreams(t) {
			first[u.Task] = min(first[u.Task], first[t])
			if left[u.Task]--; left[u.Task] == 0 {
				stack = append(stack, u.Task)
			}
		}
	}
	return first
}
