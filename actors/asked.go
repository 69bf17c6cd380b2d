package actors

import (
	"sync"

	"github.com/haz-build/haz/messages"
)

// asked is what the host has asked of a run while it was under way, until it has its answers.
type asked struct {
	run messages.RunID

	mu     sync.Mutex
	n      int
	open   map[int]func(messages.CommandAnswered)
	closed bool
}

// Ask asks for what request makes: CancelOne, RestartOne or SetSlots. answered is called exactly once, in a turn of an actor: it must return at once.
func (h *Handle) Ask(request func(messages.Asked) any, answered func(messages.CommandAnswered)) {
	r := h.r
	m, open := r.asked.ask(request, answered)
	switch {
	case !open:
	case r.alone != nil:
		r.alone.ask(m)
	default:
		r.send(r.supervisor, m)
	}
}

// ask numbers a request. Of a run that is over nobody asks anything any more.
func (a *asked) ask(request func(messages.Asked) any, answered func(messages.CommandAnswered)) (m any, open bool) {
	a.mu.Lock()
	a.n++
	ref := messages.Asked{Run: a.run, N: a.n}
	if open = !a.closed; open {
		if a.open == nil {
			a.open = map[int]func(messages.CommandAnswered){}
		}
		a.open[ref.N] = answered
	}
	a.mu.Unlock()
	if !open {
		answered(messages.CommandAnswered{Asked: ref, Verdict: messages.RunIsOver})
	}
	return request(ref), open
}

// answer passes an answer on, once.
func (a *asked) answer(m messages.CommandAnswered) {
	a.mu.Lock()
	answered := a.open[m.N]
	delete(a.open, m.N)
	a.mu.Unlock()
	if answered != nil {
		answered(m)
	}
}

// close answers what nobody has answered, and whatever comes later.
func (a *asked) close() {
	a.mu.Lock()
	a.closed = true
	var left []int
	for n := range a.open {
		left = append(left, n)
	}
	a.mu.Unlock()
	for _, n := range left {
		a.answer(messages.CommandAnswered{Asked: messages.Asked{Run: a.run, N: n}, Verdict: messages.RunIsOver})
	}
}
