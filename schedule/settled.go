package schedule

import (
	"container/heap"
	"iter"
	"time"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Settled are the tasks of a plan that had their outcome before the run began (EXEC-051): they are up to date, with all that they depend
// on. No machine is made for them. The nil one has none. Immutable.
type Settled struct {
	in    bitset
	order []int32 // in which they would have ended one by one: upstreams first, and otherwise canonical
	place []int32 // of the tasks that are left, among them
	left  int
	// digests are those that are waited for by tasks that are left.
	digests map[int]messages.UpstreamDigests
}

// Hit is what a settled task comes to: that of one which is carried out and has a hit, of which nothing has to be written.
type Hit struct {
	Key     entry.Key
	Attempt int // on which the result was made
	Product messages.Product
}

// Has reports whether a task is among them.
func (s *Settled) Has(task int) bool { return s != nil && s.in.has(task) }

// Len is how many there are.
func (s *Settled) Len() int {
	if s == nil {
		return 0
	}
	return len(s.order)
}

// Order yields them, upstreams first and otherwise in canonical order.
func (s *Settled) Order(yield func(task int) bool) {
	if s == nil {
		return
	}
	for _, i := range s.order {
		if !yield(int(i)) {
			return
		}
	}
}

// Place is the position of a task that is left among those that are, which are as many as Left says of a plan of n tasks.
func (s *Settled) Place(task int) int {
	if s == nil {
		return task
	}
	return int(s.place[task])
}

// Left is how many tasks of a plan of n are left.
func (s *Settled) Left(n int) int {
	if s == nil {
		return n
	}
	return s.left
}

// of is what a settled task contributes to the keys of a task that is left.
func (s *Settled) of(task int) messages.UpstreamDigests {
	d := s.digests[task]
	d.Task = task
	return d
}

// Settle writes the outcomes of tasks that are up to date, before the run begins: the one step that comes before Begin. They are given in canonical
// order; hit is asked once for each, upstreams first. Whoever depends on them finds their word there already.
//
// It is false where what they come to would not be all that becomes of the run: not all upstreams of one are among them, or the result
// of one violates an invariant (2.6). Then nothing is settled, and the ledger is of no use any more.
func (l *Ledger) Settle(now time.Time, tasks []int, hit func(task int) Hit) (*Settled, bool) {
	if !l.r.Lookup {
		return nil, false
	}
	n := len(l.plan.Tasks)
	s := &Settled{in: newBitset(n), order: make([]int32, 0, len(tasks)), left: n - len(tasks), digests: map[int]messages.UpstreamDigests{}}
	var ready canonical
	for _, i := range tasks {
		if s.in.has(i) {
			return nil, false
		}
		s.in.add(i)
		if l.pending[i] == 0 {
			ready = append(ready, int32(i)) // sorted, and so a heap
		}
	}
	for len(ready) > 0 {
		i := int(heap.Pop(&ready).(int32))
		if !l.plan.Tasks[i].Cache || !l.settle(now, s, i, hit(i)) {
			return nil, false
		}
		for d := range others(l.plan.Down[i], i) {
			if l.pending[d]--; l.pending[d] == 0 && s.in.has(d) {
				heap.Push(&ready, int32(d))
			}
		}
	}
	if len(s.order) < len(tasks) {
		return nil, false
	}
	s.number(n)
	l.settled = s
	return s, true
}

// settle writes one of them down; false when it violates an invariant.
func (l *Ledger) settle(now time.Time, s *Settled, i int, h Hit) bool {
	if violated, _ := l.claim(now, i, h.Product.Wrote, h.Product.Reads); violated {
		return false
	}
	for d := range others(l.plan.Down[i], i) {
		if !s.in.has(d) {
			s.digests[i] = digestsOf(i, h.Product)
			break
		}
	}
	s.order = append(s.order, int32(i))
	l.put(i, hitOutcome(now, l.plan.Tasks[i], h))
	return true
}

// number gives those that are left their places.
func (s *Settled) number(n int) {
	if s.left == 0 {
		return
	}
	s.place = make([]int32, n)
	next := int32(0)
	for i := range s.place {
		if s.in.has(i) {
			s.place[i] = -1
			continue
		}
		s.place[i] = next
		next++
	}
}

// hitOutcome is the outcome of a task that has a hit, as its machine would make it.
func hitOutcome(now time.Time, t *workspace.Task, h Hit) messages.Outcome {
	p := &h.Product
	return messages.Outcome{Task: t.ID, Status: messages.Completed, Source: messages.FromCache, HasKey: true, Key: h.Key,
		Allowed: 1 + t.Retry.Times, MadeOn: h.Attempt, StdoutLen: p.StdoutLen, StderrLen: p.StderrLen, StdoutDigest: p.StdoutDigest,
		StderrDigest: p.StderrDigest, Outputs: p.Outputs, OutputsDigest: p.OutputsDigest, Started: now, Ended: now}
}

// digestsOf is what a completed task with a product contributes to the keys of its downstreams.
func digestsOf(i int, p messages.Product) messages.UpstreamDigests {
	return messages.UpstreamDigests{Task: i, Own: p.Own, Closure: p.Closure, Streams: p.Streams}
}

// others yields the tasks at the other ends of edges of a task, whatever their kinds, each once and without the task itself: a formatter
// does not wait for itself (EXEC-018).
func others(edges []graph.Edge, task int) iter.Seq[int] {
	return func(yield func(int) bool) {
		last := task
		for _, e := range edges { // sorted by task
			if e.Task != task && e.Task != last && !yield(e.Task) {
				return
			}
			last = e.Task
		}
	}
}

// canonical is a heap of tasks.
type canonical []int32

func (h canonical) Len() int           { return len(h) }
func (h canonical) Less(i, j int) bool { return h[i] < h[j] }
func (h canonical) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *canonical) Push(x any)        { *h = append(*h, x.(int32)) }
func (h *canonical) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
