package actorstest

import (
	"math/rand"
	"slices"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
)

// Settling draws, from those tasks that were hits in a run, some that are up to date before the next one begins (EXEC-051). Who draws sees
// to it that they still are.
type Settling struct {
	hits map[string]*knownHit // by task
	in   map[string]bool
}

// knownHit is what a hit came to.
type knownHit struct {
	key            entry.Key
	attempt        int
	product        messages.Product
	stdout, stderr []byte
	order          cache.StreamOrder
	kept           []state.Produced
}

func (h *knownHit) Result() (entry.Key, int, messages.Product) {
	p := h.product
	p.Wrote, p.Reads = nil, nil
	return h.key, h.attempt, p
}
func (h *knownHit) Printed() (stdout, stderr []byte, order cache.StreamOrder) {
	return h.stdout, h.stderr, h.order
}
func (h *knownHit) Kept() []state.Produced         { return h.kept }
func (h *knownHit) Missed() []actors.MissedPattern { return nil }

// NewSettling draws from the hits of a run: each of a thousand with the chance that is given, if all that it depends on was drawn as well.
func NewSettling(w *World, last *Report, seed int64, permille int) *Settling {
	s := &Settling{hits: map[string]*knownHit{}, in: map[string]bool{}}
	rng := rand.New(rand.NewSource(seed))
	plan := w.Graph.Plan(w.targets())
	for i, o := range last.Result.Outcomes {
		drawn := rng.Intn(1000) < permille
		if h := last.hits[i]; h != nil && drawn && o.Source == messages.FromCache && o.Status == messages.Completed {
			s.hits[o.Task.String()], s.in[o.Task.String()] = h, true
		}
	}
	for again := true; again; {
		again = false
		for i, t := range plan.Tasks {
			open := func(u graph.Neighbour) bool { return !s.in[plan.Tasks[u.Task].ID.String()] }
			if id := t.ID.String(); s.in[id] && slices.ContainsFunc(plan.Upstreams(i), open) {
				delete(s.in, id)
				again = true
			}
		}
	}
	return s
}

// Has reports whether a task was drawn.
func (s *Settling) Has(id string) bool { return s != nil && s.in[id] }

// list is what a run is told, and the positions of the tasks in its plan.
func (s *Settling) list(plan *graph.Plan) (list []actors.Settled, at []int) {
	if s == nil {
		return nil, nil
	}
	made := map[string]bool{}
	again := false // two of them have made one path, so none is settled
	for i, t := range plan.Tasks {
		id := t.ID.String()
		if !s.in[id] {
			continue
		}
		list = append(list, actors.Settled{Task: i, Hit: s.hits[id]})
		at = append(at, i)
		for _, o := range s.hits[id].product.Outputs {
			again = again || made[o.Path] && o.Kind != entry.Dir
			made[o.Path] = true
		}
	}
	if again {
		return list, nil
	}
	return list, at
}

// learn keeps what hits of a run came to, for a Settling.
func (r *Report) learn(plan *graph.Plan, st *state.State, store *cache.Store) {
	said := map[string]*[2][]byte{}
	for _, e := range r.Events {
		if e, ok := e.(messages.TaskOutput); ok && e.Replayed {
			streams := said[e.Task.String()]
			if streams == nil {
				streams = &[2][]byte{}
				said[e.Task.String()] = streams
			}
			to := &streams[0]
			if e.Stderr {
				to = &streams[1]
			}
			*to = append(*to, e.Bytes...)
		}
	}
	for i, t := range plan.Tasks {
		h := r.hits[i]
		if h == nil {
			continue
		}
		id := t.ID.String()
		list := st.Products(id)
		m, miss := store.Explain(h.key)
		if miss != nil || list.Key != h.key || list.Running || list.Unfinished {
			delete(r.hits, i)
			continue
		}
		h.kept, h.order = list.Files, m.Order
		if s := said[id]; s != nil {
			h.stdout, h.stderr = s[0], s[1]
		}
	}
}

// hitRecorded notes what a hit came to.
func (r *Report) hitRecorded(m messages.RecordOutcome) {
	if m.Product == nil || r.hits[m.Task] != nil {
		return
	}
	p := *m.Product
	r.hits[m.Task] = &knownHit{key: m.Outcome.Key, attempt: m.Outcome.MadeOn, product: p}
}

// settledOrder is the one in which settled tasks have to be told: upstreams first, and otherwise as in the plan.
func settledOrder(p *graph.Plan, settled []int) (order []int) {
	done := map[int]bool{}
	for len(order) < len(settled) {
		next := slices.IndexFunc(settled, func(i int) bool {
			return !done[i] && !slices.ContainsFunc(p.Upstreams(i), func(u graph.Neighbour) bool { return !done[u.Task] })
		})
		if next < 0 {
			return order
		}
		done[settled[next]] = true
		order = append(order, settled[next])
	}
	return order
}

// eventSeen is where what an observer does comes from: it panics, or somebody asks for the end of the run meanwhile.
func (c *checker) eventSeen(n int) {
	f := c.o.Faults
	for i, wanted := range []bool{f.CancelAtEvent > 0, f.SecondAt > 0, f.ThirdAt > 0} {
		if wanted && n == f.CancelAtEvent+i && c.signals <= i {
			c.signal()
		}
	}
	if n == f.ObserverAt {
		c.died, c.blind = true, true
		c.dead = append(c.dead, "observer")
		panic(injected("observer"))
	}
}

// settled checks what must hold of settled tasks when the run is over: nothing was carried out for them (EXEC-053), and they were told of
// first, in their order.
func (c *checker) settled() {
	in := map[string]bool{}
	for _, i := range c.Settled {
		t, o := c.Plan.Tasks[i], &c.rep.Result.Outcomes[i]
		id := t.ID.String()
		in[id] = true
		if n := c.rep.Deliveries[i]; n > 0 || c.procs.Count(id) > 0 {
			c.broken("EXEC-053: %d messages and %d processes for %s, which is settled", n, c.procs.Count(id), id)
		}
		if o.Status != messages.Completed || o.Source != messages.FromCache {
			c.broken("EXEC-051: %s is settled, and %v (%v)", id, o.Status, o.Source)
		}
		c.grants.settled(o.Outputs)
	}
	if n := len(c.Plan.Tasks); len(c.Settled) == n && c.signals > 0 && !c.rep.Result.Cancelled {
		c.broken("EXEC-054: all %d tasks are settled, and the run has not heard that it was to end", n)
	}
	var told []string
	others := false
	for _, e := range c.rep.Events {
		id := taskOf(e)
		if others = others || id != "" && !in[id]; others && in[id] {
			c.broken("EXEC-052: %s is settled, and told of late", id)
		}
		if _, ok := e.(messages.TaskFinished); ok && in[id] {
			told = append(told, id)
		}
	}
	for n, i := range settledOrder(c.Plan, c.Settled) {
		if id := c.Plan.Tasks[i].ID.String(); n < len(told) && told[n] != id {
			c.broken("EXEC-052: settled tasks are told of as %v, and %s should be number %d", told, id, n)
			return
		}
	}
}

// taskOf is the task that an event is about; "" for one of the run.
func taskOf(e messages.Event) string {
	switch e := e.(type) {
	case messages.TaskStarted:
		return e.Task.String()
	case messages.TaskOutput:
		return e.Task.String()
	case messages.TaskNoted:
		return e.Task.String()
	case messages.AttemptFailed:
		return e.Task.String()
	case messages.TaskFinished:
		return e.Outcome.Task.String()
	}
	return ""
}
