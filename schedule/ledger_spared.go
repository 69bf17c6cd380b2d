package schedule

import (
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
)

// Who goes on when a run stops (EXEC-050): finalizers of tasks that were started, and what these finalizers depend on. Whether a task was
// started is known when it has ended, and not before. So a task that may have been is a reason for its finalizers to go on, until its
// outcome says that it was not, or it loses its own before it could be; and a task that goes on is one for its hard upstreams, and, since it may be started, for its own
// finalizers. Reasons are counted: they only go away, so all of it is linear in tasks and edges.

// spared is who goes on, and why.
type spared struct {
	reasons  []int  // of each task; one without any does not go on
	mayBegin bitset // tasks that were started or may be: a reason for each of their finalizers
	alone    bitset // tasks that are there as finalizers and nothing else: they see for themselves whether they are needed
	how      any    // what a task hears that has no reason left: messages.CancelTask or messages.SkipTask
}

// sparing finds out who goes on in a run that stops now, and returns them in canonical order. When it stops a second time, in
// another way, they are among those of the first: nobody gets a new reason.
func (l *Ledger) sparing(how any) []int {
	if l.spared != nil {
		l.spared.how = how
		return l.goingOn()
	}
	n := len(l.plan.Tasks)
	s := &spared{reasons: make([]int, n), mayBegin: newBitset(n), alone: newBitset(n), how: how}
	l.spared = s
	var begun []int
	for i := range l.plan.Tasks {
		if l.has.has(i) && l.outcomes[i].Began() || !l.has.has(i) && l.pending[i] == 0 {
			s.mayBegin.add(i)
			begun = append(begun, i)
		}
		if l.plan.OnlyFinal(i) {
			s.alone.add(i)
		}
	}
	for len(begun) > 0 {
		i := begun[len(begun)-1]
		begun = begun[:len(begun)-1]
		for _, fresh := range l.giveReasons(i) {
			if !s.mayBegin.has(fresh) {
				s.mayBegin.add(fresh)
				begun = append(begun, fresh)
			}
		}
	}
	return l.goingOn()
}

// giveReasons gives one to the finalizers of a task that may begin, and with the first one they get to what they depend on. It returns who
// had none before.
func (l *Ledger) giveReasons(task int) (fresh []int) {
	var todo []int
	for _, e := range l.plan.Down[task] {
		if e.Kind == graph.Final {
			todo = append(todo, e.Task)
		}
	}
	for len(todo) > 0 {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if l.has.has(t) {
			continue
		}
		if l.spared.reasons[t]++; l.spared.reasons[t] > 1 {
			continue
		}
		fresh = append(fresh, t)
		for _, e := range l.plan.Up[t] {
			if e.Kind == graph.Hard {
				todo = append(todo, e.Task)
			}
		}
	}
	return fresh
}

// noReason follows the end of a task in a run that stops: it is no reason any more for what it depends on, nor, if it was not started, for
// its finalizers. Who has none left is told how the run stops.
func (l *Ledger) noReason(ended int) (cs []Command) {
	s := l.spared
	if s == nil {
		return nil
	}
	var todo []int // who loses one
	lose := func(edges []graph.Edge, kind graph.EdgeKind) {
		for _, e := range edges {
			if e.Kind == kind {
				todo = append(todo, e.Task)
			}
		}
	}
	neverBegins := func(t int) {
		if s.mayBegin.has(t) {
			s.mayBegin.remove(t)
			lose(l.plan.Down[t], graph.Final)
		}
	}
	if s.reasons[ended] > 0 {
		s.reasons[ended] = 0
		lose(l.plan.Up[ended], graph.Hard)
	}
	if !l.outcomes[ended].Began() {
		neverBegins(ended)
	}
	for len(todo) > 0 {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if l.has.has(t) || s.reasons[t] == 0 {
			continue
		}
		if s.reasons[t]--; s.reasons[t] > 0 {
			continue
		}
		lose(l.plan.Up[t], graph.Hard)
		if l.pending[t] > 0 { // else it may have begun already
			neverBegins(t)
		}
		if !s.alone.has(t) {
			cs = append(cs, l.dismiss(t))
		}
	}
	return cs
}

// dismiss tells a task that it does not go on after all.
func (l *Ledger) dismiss(task int) Command {
	switch m := l.spared.how.(type) {
	case messages.SkipTask:
		m.Run, m.Task = l.r.Run, task
		l.group.expect(task)
		return Command{ToTask, m}
	case messages.CancelTask:
		m.Run, m.Task = l.r.Run, task
		return Command{ToTask, m}
	}
	panic("a run stops in no way")
}

// goesOn reports whether a task is not told that the run stops.
func (l *Ledger) goesOn(task int) bool {
	return l.spared != nil && !l.forced && (l.spared.reasons[task] > 0 || l.spared.alone.has(task))
}

// goingOn are the tasks that have a reason, in canonical order.
func (l *Ledger) goingOn() (tasks []int) {
	for i, n := range l.spared.reasons {
		if n > 0 {
			tasks = append(tasks, i)
		}
	}
	return tasks
}

// Spares reports whether a process of the task may start, and its result be published, in a run that stops.
func (l *Ledger) Spares(task int) bool {
	return l.spared != nil && !l.forced && !l.stuck && !l.gaveUp && l.spared.reasons[task] > 0
}
