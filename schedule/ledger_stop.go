package schedule

import (
	"time"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Stopping a run: fail-fast, runtime invariants, cancellation, stalls, and the end.

// stopRun follows the first failure (2.5), when admission is closed: all that has not begun becomes skipped, in canonical order.
func (l *Ledger) stopRun(root workspace.TaskID) (cs []Command) {
	l.stopped = true
	cs = l.endTargets()
	for i := range l.plan.Tasks {
		if !l.has.has(i) && !l.goesOn(i) && !l.services.stays(i) {
			l.group.expect(i)
			cs = append(cs, Command{ToTask, messages.SkipTask{Run: l.r.Run, Task: i, Cause: messages.RunStopped, Root: root}})
		}
	}
	return cs
}

func (l *Ledger) skipDeclined(m messages.SkipDeclined) []Command {
	cs := l.group.decline(m.Task)
	if l.cycle && !l.has.has(m.Task) {
		cs = append(cs, Command{ToTask, messages.CancelTask{Run: l.r.Run, Task: m.Task}})
	}
	return cs
}

// claim judges a product (2.6): overlap first, then cycle.
func (l *Ledger) claim(now time.Time, i int, wrote []string, reads []messages.Read) (violated bool, cs []Command) {
	for _, path := range wrote {
		first, claimed := l.claims[path]
		if !claimed {
			l.claims[path] = i
			continue
		}
		if first == i {
			continue
		}
		violated = true
		if l.overlaps[path] {
			continue
		}
		l.overlaps[path] = true
		cs = append(cs, l.violation(messages.Violation{Kind: messages.OutputOverlap, Path: path,
			Tasks: []workspace.TaskID{l.plan.Tasks[first].ID, l.plan.Tasks[i].ID}}))
	}
	if violated && !l.spare {
		l.spare = true
		cs = append(cs, l.cancelRest(i, messages.CancelTask{SpareRunning: true})...)
	}
	for _, r := range reads {
		if members := l.closesCycle(l.plan.Tasks[i].Index, r.Reader); members != nil {
			violated = true
			decl := l.plan.G.W.Tasks[r.Reader].Inputs[r.Input]
			v := messages.Violation{Kind: messages.RuntimeCycleViolation, Path: r.Path, Pattern: decl.Text,
				Glob: !decl.Pattern.IsLiteral(), From: l.plan.Tasks[i].ID, To: l.plan.G.W.Tasks[r.Reader].ID}
			for _, w := range members {
				v.Tasks = append(v.Tasks, l.plan.G.W.Tasks[w].ID)
			}
			cs = append(cs, l.violation(v))
			cs = append(cs, l.stopCycle(i, members)...)
		}
	}
	return violated, cs
}

func (l *Ledger) violation(v messages.Violation) Command {
	l.violations = append(l.violations, v)
	return l.runEvent(messages.ViolationFound{Violation: v})
}

// stopCycle ends a run in which a cycle was found: members that have not begun are skipped, all others cancelled.
func (l *Ledger) stopCycle(closer int, members []int) []Command {
	if l.cycle {
		return nil
	}
	l.cycle = true
	cs := []Command{{ToAdmission, messages.CloseAdmission{Run: l.r.Run, Spared: l.sparing(messages.CancelTask{})}}}
	member := newBitset(len(l.plan.Tasks))
	for _, w := range members {
		if i, in := graph.Position(l.plan, w); in && i != closer {
			member.add(i)
		}
	}
	for i := range l.plan.Tasks {
		switch {
		case i == closer || l.has.has(i) || l.goesOn(i) || l.services.stays(i):
		case member.has(i):
			cs = append(cs, Command{ToTask, messages.SkipTask{Run: l.r.Run, Task: i, Cause: messages.RuntimeCycle, Root: l.plan.Tasks[closer].ID}})
		default:
			cs = append(cs, Command{ToTask, messages.CancelTask{Run: l.r.Run, Task: i}})
		}
	}
	return cs
}

// cancelRest cancels every task that has not ended, but for one and those that go on, in the way that how says.
func (l *Ledger) cancelRest(but int, how messages.CancelTask) []Command {
	cs := []Command{{ToAdmission, messages.CloseAdmission{Run: l.r.Run, Spared: l.sparing(how)}}}
	for i := range l.plan.Tasks {
		if i != but && !l.has.has(i) && !l.goesOn(i) && !l.services.stays(i) {
			how.Run, how.Task = l.r.Run, i
			cs = append(cs, Command{ToTask, how})
		}
	}
	return append(cs, l.endTargets()...)
}

// closesCycle adds the edge from a task to a reader of its output (EXEC-019) and returns the members of a cycle that it
// closes, in canonical order; nil when it closes none or was there before. A self edge is never a violation (EXEC-018).
func (l *Ledger) closesCycle(from, to int) []int {
	if from == to {
		return nil
	}
	if l.edges.down == nil {
		l.edges.seed(l.plan)
	}
	if !l.edges.add(from, to) {
		return nil
	}
	return l.edges.path(to, from)
}

// noteCancel writes a request to end the run down, and reports whether it is a new one.
func (l *Ledger) noteCancel(m messages.CancelRun) bool {
	for _, s := range l.signals {
		if s.N == m.N {
			return false
		}
	}
	l.signals = append(l.signals, m)
	return true
}

// cancelRun is the first, second or third request to end the run (section 6).
func (l *Ledger) cancelRun(now time.Time, m messages.CancelRun) []Command {
	if !l.noteCancel(m) {
		return nil
	}
	if l.cancel && m.Signal == "" {
		return nil // the host's context ends once
	}
	switch n := l.signalled(); {
	case !l.cancel:
		l.cancel = true
		how := messages.CancelTask{Interrupt: m.Signal == "SIGINT"}
		e := messages.RunCancelling{Signal: m.Signal, Grace: l.r.Grace}
		for _, i := range l.sparing(how) {
			if !l.has.has(i) {
				e.GoOn = append(e.GoOn, l.plan.Tasks[i].ID)
			}
		}
		return append([]Command{l.runEvent(e)}, l.cancelRest(-1, how)...)
	case n <= 2:
		l.forced = true
		cs := []Command{l.runEvent(messages.RunCancelling{Signal: m.Signal, Force: true})}
		for i := range l.plan.Tasks {
			if !l.has.has(i) {
				cs = append(cs, Command{ToTask, messages.CancelTask{Run: l.r.Run, Task: i, Force: true}})
			}
		}
		return cs
	}
	return l.giveUp(now)
}

func (l *Ledger) signalled() int {
	n := 0
	for _, s := range l.signals {
		if s.Signal != "" {
			n++
		}
	}
	return n
}

// giveUp follows the third signal: one last kill, and the end, whatever is still under way.
func (l *Ledger) giveUp(now time.Time) []Command {
	l.gaveUp = true
	cs := []Command{{ToProcesses, messages.KillProcesses{Run: l.r.Run}}}
	for i := range l.plan.Tasks {
		if !l.has.has(i) {
			cs = append(cs, l.write(i, messages.Outcome{Task: l.plan.Tasks[i].ID, Status: messages.Cancelled, Cause: messages.RunCancelled, Ended: now})...)
		}
	}
	cs = append(cs, l.group.flush()...)
	l.ended = true
	return append(cs, Command{ToRoot, messages.RunEnded{Run: l.r.Run}})
}

// Cancelled reports whether the run was cancelled, and by which signal first (zero Signal: by the host).
func (l *Ledger) Cancelled() (bool, messages.CancelRun) {
	for _, s := range l.signals {
		if s.Signal != "" {
			return l.cancel, s
		}
	}
	return l.cancel, messages.CancelRun{}
}

// StopsStarts reports whether no process may start and nothing be published any more: cancelled, in a runtime cycle, or stuck.
func (l *Ledger) StopsStarts() bool { return l.cancel || l.cycle || l.stuck }

// Ended reports whether the end was said.
func (l *Ledger) Ended() bool { return l.ended }

// Rounds of the stall check, which comes at regular intervals.
const (
	silentRounds = 3   // in a row, without word or work, while all that were asked are idle: nothing can move any more
	muteRounds   = 30  // in a row, without word or work, that an actor which was asked may owe its answer: a machine can be slow
	endingRounds = 30  // in a row, without word or work, while somebody still has to say that nothing is owed
	owedRounds   = 120 // that a cancelled run waits for work which goes on (a slow disk, a host that takes its time)
)

func (l *Ledger) checkStall(now time.Time, m messages.CheckStall) []Command {
	if m.Round <= l.round && l.round > 0 {
		return nil
	}
	l.round = m.Round
	switch {
	case l.progress || m.Moved || m.Busy > 0 || l.onlyServes(m.Serving):
		l.silent, l.mute = 0, 0
	case l.ending || l.allIdle() || l.mute >= muteRounds:
		l.silent++
	default:
		l.mute++
	}
	l.progress = false
	switch {
	case l.ending:
		return l.hurryEnd(m.Busy)
	case l.silent >= silentRounds:
		return l.stalled(now)
	}
	return l.askAnew()
}

func (l *Ledger) allIdle() bool { return l.idle["cache"] && l.idle["processes"] }

// stalled ends a run in which nothing can move any more: a message was lost, or an actor is dead. The missing tasks are
// violations, and errors of their own; the run still ends (S-10).
func (l *Ledger) stalled(now time.Time) []Command {
	cs := []Command{{ToAdmission, messages.CloseAdmission{Run: l.r.Run}}, {ToProcesses, messages.KillProcesses{Run: l.r.Run}}}
	cs = append(cs, l.group.flush()...)
	l.stuck = true
	v := messages.Violation{Kind: messages.Internal, Message: "nothing can move any more, yet tasks have no outcome"}
	var lost []int
	for i := range l.plan.Tasks {
		if !l.has.has(i) {
			lost = append(lost, i)
			v.Tasks = append(v.Tasks, l.plan.Tasks[i].ID)
		}
	}
	if len(lost) > 0 {
		cs = append(cs, l.violation(v))
	}
	for _, i := range lost {
		l.crashed.add(i)
		cs = append(cs, l.write(i, l.crashOutcome(now, i, "the run lost track of this task", ""))...)
	}
	return cs
}

func (l *Ledger) idleReported(m messages.IdleReported) []Command {
	if m.Round < l.since {
		return nil
	}
	l.idle[m.Actor] = true
	if !l.ending {
		return nil
	}
	return l.maybeEnd()
}

// maybeEnd ends the run when every outcome is written and nothing is owed by cache and processes.
func (l *Ledger) maybeEnd() []Command {
	if l.ended || l.missing > 0 {
		return nil
	}
	if !l.ending {
		l.ending = true
		cs := l.group.flush()
		return append(cs, l.askAnew()...)
	}
	if l.allIdle() {
		l.ended = true
		return []Command{{ToRoot, messages.RunEnded{Run: l.r.Run}}}
	}
	return nil
}

// askAnew asks who is idle now: what was said before, or is on its way, does not count.
func (l *Ledger) askAnew() []Command {
	clear(l.idle)
	l.since = l.asked + 1
	return l.askIdle()
}

func (l *Ledger) askIdle() []Command {
	l.asked++
	ask := messages.ReportIdle{Run: l.r.Run, Round: l.asked}
	return []Command{{ToCache, ask}, {ToProcesses, ask}}
}

// hurryEnd repeats the question, in case it or its answer was lost. Work in progress is waited for: only a run that was cancelled
// gives up on it in the end, which breaks no invariant, and says so. Where nothing is under way and nobody answers, haz is broken.
func (l *Ledger) hurryEnd(busy int) []Command {
	if l.cancel {
		l.owed++
	}
	switch {
	case l.silent >= endingRounds:
		l.ended = true
		l.violations = append(l.violations, messages.Violation{Kind: messages.Internal, Message: "work was still owed when the run ended"})
		return []Command{{ToProcesses, messages.KillProcesses{Run: l.r.Run}}, {ToRoot, messages.RunEnded{Run: l.r.Run}}}
	case busy > 0 && l.owed >= owedRounds:
		l.ended = true
		return []Command{l.runEvent(messages.RunNoted{Text: "work on files was still under way when the run was left"}),
			{ToProcesses, messages.KillProcesses{Run: l.r.Run}}, {ToRoot, messages.RunEnded{Run: l.r.Run}}}
	}
	return l.askIdle()
}

// release holds back the ends of tasks that were told to skip, so that observers see them in canonical order whatever the
// order in which the tasks answer.
type release struct {
	in       bitset // expected to answer
	resolved bitset // has answered
	held     map[int]Command
}

func (r *release) expect(i int) { r.in.add(i) }

// finish passes an end on, or keeps it until all before it have answered.
func (r *release) finish(i int, c Command) []Command {
	if !r.in.has(i) {
		return []Command{c}
	}
	if r.held == nil {
		r.held = map[int]Command{}
	}
	r.held[i] = c
	r.resolved.add(i)
	return r.drain(false)
}

func (r *release) decline(i int) []Command {
	if !r.in.has(i) {
		return nil
	}
	r.resolved.add(i)
	return r.drain(false)
}

func (r *release) flush() []Command { return r.drain(true) }

func (r *release) drain(all bool) []Command {
	var cs []Command
	for i := range r.in.all() {
		if !all && !r.resolved.has(i) {
			break
		}
		r.in.remove(i)
		if c, ok := r.held[i]; ok {
			delete(r.held, i)
			cs = append(cs, c)
		}
	}
	return cs
}

// edgeSet is the run's edge set without kinds (EXEC-019), over all tasks of the workspace.
type edgeSet struct {
	down map[int][]int
	has  map[[2]int]bool
}

func (s *edgeSet) seed(p *graph.Plan) {
	s.down, s.has = map[int][]int{}, map[[2]int]bool{}
	for i, es := range p.Down {
		for _, e := range es {
			s.add(p.Tasks[i].Index, p.Tasks[e.Task].Index)
		}
	}
}

func (s *edgeSet) add(from, to int) bool {
	k := [2]int{from, to}
	if from == to || s.has[k] {
		return false
	}
	s.has[k] = true
	s.down[from] = append(s.down[from], to)
	return true
}

// path returns the nodes of a shortest path, sorted; nil when there is none.
func (s *edgeSet) path(from, to int) []int {
	parent := map[int]int{from: -1}
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		if n == to {
			var nodes []int
			for ; n != -1; n = parent[n] {
				nodes = append(nodes, n)
			}
			return sorted(nodes)
		}
		for _, d := range s.down[n] {
			if _, seen := parent[d]; !seen {
				parent[d] = n
				queue = append(queue, d)
			}
		}
	}
	return nil
}
