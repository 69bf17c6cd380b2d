package schedule

import (
	"time"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Ledger is the supervisor's book: the outcome of every task, written once, task errors, violations, the cascade, and the
// end of the run. It decides who becomes ready, who is skipped or cancelled, and what is told to whom.
//
// A failure's downstreams are written down at once, in canonical order (EXEC-011): none of them can have started. Their own
// actors hear the same from their upstream and report it; that is a confirmation, whichever of two roots it names.
//
// What holds between two steps: an outcome that is written is never changed (has); missing is the number of tasks without one, and
// the run ends with the last of them and not before; pending of a task without an outcome is the number of its upstreams in the
// plan that have none, so each task is told once that it is ready, by the step that writes the last of them. There is one writer
// because the order in which things are written is the order in which they are told: with a writer a task it would depend on
// which message came first.
type Ledger struct {
	r       Rules
	plan    *graph.Plan
	settled *Settled // before the run began

	outcomes []messages.Outcome
	digests  []messages.UpstreamDigests // of those that completed, by their place among those that are left
	has      bitset
	cascaded bitset // written by the cascade, not yet or never confirmed
	missing  int
	pending  []int32 // upstreams in the plan that have not ended
	crashed  bitset

	violations []messages.Violation
	claims     map[string]int // path → first claimant (EXEC-020)
	overlaps   map[string]bool
	edges      edgeSet

	cancel  bool // by signal or host
	signals []messages.CancelRun
	stopped bool // fail-fast took effect
	cycle   bool // a runtime cycle took effect
	spare   bool // an overlap took effect
	gaveUp  bool
	stuck   bool // nothing could move any more

	commands commands
	services *services // nil: there are none

	group  release
	spared *spared // nil while the run goes on
	forced bool    // by a second signal: nobody is spared any more

	progress bool
	round    int
	silent   int // rounds in a row without word or work
	mute     int // likewise, and somebody owed an answer
	ending   bool
	idle     map[string]bool
	asked    int // number of the latest question for idleness
	since    int // and of the first whose answer counts: an older one says nothing of what has begun since
	owed     int // rounds since a run that was cancelled has all outcomes
	ended    bool
}

// NewLedger makes an empty book.
func NewLedger(p *graph.Plan, r Rules) *Ledger {
	n := len(p.Tasks)
	l := &Ledger{r: r, plan: p, outcomes: make([]messages.Outcome, n), has: newBitset(n), cascaded: newBitset(n), crashed: newBitset(n),
		missing: n, pending: make([]int32, n), claims: map[string]int{}, overlaps: map[string]bool{},
		idle: map[string]bool{}}
	for i := range l.pending {
		for range others(p.Up[i], i) {
			l.pending[i]++
		}
	}
	l.services = newServices(p)
	l.group.in = newBitset(n)
	l.group.resolved = newBitset(n)
	return l
}

// Begin opens the run: RunStarted is the caller's; here the first tasks become ready.
func (l *Ledger) Begin() []Command {
	if l.missing == 0 { // nobody is asked for anything, so nobody owes anything
		l.ended = true
		return []Command{{ToRoot, messages.RunEnded{Run: l.r.Run}}}
	}
	var ready []int
	for i, p := range l.pending {
		if p == 0 && !l.has.has(i) {
			ready = append(ready, i)
		}
	}
	cs := []Command{{ToAdmission, messages.TasksReady{Run: l.r.Run, Ready: ready}}}
	for _, i := range ready {
		cs = append(cs, Command{ToTask, messages.BeginTask{Run: l.r.Run, Task: i}})
	}
	return cs
}

// Step tells the ledger what happened at a time and returns what to do now. After the end nothing is done any more, but a
// request to end the run is still written down: the last events may be on their way to an observer that does not take them.
func (l *Ledger) Step(now time.Time, m any) []Command {
	if l.ended {
		if c, ok := m.(messages.CancelRun); ok && l.noteCancel(c) {
			l.cancel = true
		}
		return nil
	}
	var cs []Command
	switch m := m.(type) {
	case messages.RecordOutcome:
		l.progress = true
		cs = l.recordOutcome(now, m)
	case messages.ClaimOutputs:
		l.progress = true
		violated, more := l.claim(now, m.Task, m.Wrote, m.Reads)
		cs = append(more, Command{ToTask, messages.ClaimJudged{Ref: m.Ref, Violated: violated}})
	case messages.SkipDeclined:
		l.progress = true
		cs = l.skipDeclined(m)
	case messages.TaskCrashed:
		l.progress = true
		cs = l.taskCrashed(m)
	case messages.ProcessAbandoned:
		l.progress = true
		cs = l.processAbandoned(now, m)
	case messages.CancelRun:
		l.progress = true
		cs = l.cancelRun(now, m)
	case messages.CancelOne, messages.RestartOne, messages.SetSlots, messages.CommandTaken:
		l.progress = true
		cs = l.command(m)
	case messages.ServiceKeyed:
		l.progress = true
		cs = l.serviceKeyed(m)
	case messages.ServiceUp:
		l.progress = true
		l.services.up.add(m.Task)
	case messages.CheckStall:
		cs = l.checkStall(now, m)
	case messages.IdleReported:
		return l.idleReported(m)
	default:
		return nil
	}
	return append(cs, l.maybeEnd()...)
}

func (l *Ledger) recordOutcome(now time.Time, m messages.RecordOutcome) []Command {
	i := m.Task
	answer := Command{ToTask, messages.OutcomeRecorded{Ref: m.Ref}}
	var cs []Command
	if m.Began { // first: who is granted the outputs asks for the locks
		cs = append(cs, l.release(m.Ref, m.Wrote, m.Outcome.Spawned > 0))
	}
	if l.has.has(i) {
		if !l.confirms(i, m.Outcome) {
			l.violations = append(l.violations, messages.Violation{Kind: messages.Internal, Tasks: []workspace.TaskID{l.plan.Tasks[i].ID},
				Message: "a second, different outcome was reported"})
			v := l.violations[len(l.violations)-1]
			cs = append(cs, l.runEvent(messages.ViolationFound{Violation: v}))
		}
		return append(cs, answer)
	}
	l.keepDigests(i, m.Digests)
	if m.Product != nil {
		_, more := l.claim(now, i, m.Product.Wrote, m.Product.Reads)
		cs = append(cs, more...)
	}
	cs = append(cs, l.record(now, i, m.Outcome, m.Events)...)
	return append(cs, answer)
}

func (l *Ledger) release(r messages.Ref, wrote, ran bool) Command {
	return Command{ToCache, messages.ReleaseTask{Ref: r, Wrote: wrote, Ran: ran}}
}

// confirms reports whether a further report says what is written. A task that the cascade has ended may name another root,
// or have been cancelled meanwhile: it has not run either way.
func (l *Ledger) confirms(i int, o messages.Outcome) bool {
	w := l.outcomes[i]
	if l.cascaded.has(i) && (o.Status == messages.Skipped || o.Status == messages.Cancelled) && o.Spawned == 0 {
		return true
	}
	if l.crashed.has(i) || l.gaveUp {
		return true // written without asking the task; whatever it says comes too late
	}
	return w.Status == o.Status && w.Cause == o.Cause && w.Root == o.Root && w.Key == o.Key && w.ExitCode == o.ExitCode && w.TimedOut == o.TimedOut && w.Source == o.Source
}

// record writes an outcome and draws the consequences: downstreams become ready or end with it.
func (l *Ledger) record(now time.Time, i int, o messages.Outcome, events int) []Command {
	var below []int
	var lost []Command
	if o.Status != messages.Completed && !o.LeftOut() {
		if l.services.told(i) {
			lost = l.serviceLost(i, o)
		} else {
			below = l.hardBelow(i)
		}
	}
	// All of them are written before any is announced: none may pass for ready on the way.
	l.put(i, o)
	for _, d := range below {
		l.put(d, l.cascadeOutcome(now, o, d))
		l.cascaded.add(d)
	}
	stops := o.Status == messages.Failed && l.r.FailFast && !l.stopped && !l.cancel
	tell := messages.TasksReady{Run: l.r.Run, Stop: stops}
	if stops {
		tell.Spared = l.sparing(messages.SkipTask{Cause: messages.RunStopped, Root: o.Task})
	}
	cs := l.announce(i, events, &tell)
	for _, d := range below {
		cs = append(cs, l.announce(d, 0, &tell)...)
	}
	cs = append(append(cs, Command{ToAdmission, tell}), lost...)
	if stops {
		cs = append(cs, l.stopRun(o.Task)...)
	}
	for _, d := range append(below, i) {
		cs = append(cs, l.noReason(d)...)
	}
	return cs
}

// write puts one outcome down without consequences, and announces it.
func (l *Ledger) write(i int, o messages.Outcome) []Command {
	l.put(i, o)
	tell := messages.TasksReady{Run: l.r.Run}
	return append(l.announce(i, 0, &tell), Command{ToAdmission, tell})
}

// keepDigests keeps what a completed task contributes to the keys of its downstreams, should it not live to tell them.
func (l *Ledger) keepDigests(i int, d messages.UpstreamDigests) {
	if l.digests == nil {
		l.digests = make([]messages.UpstreamDigests, l.settled.Left(len(l.plan.Tasks)))
	}
	l.digests[l.settled.Place(i)] = d
}

func (l *Ledger) digestsAt(i int) (d messages.UpstreamDigests) {
	if l.digests == nil {
		return d
	}
	return l.digests[l.settled.Place(i)]
}

func (l *Ledger) put(i int, o messages.Outcome) {
	l.outcomes[i] = o
	l.has.add(i)
	l.missing--
}

// announce tells the observer of an end, and adds to what admission is told who ended and who became ready by it.
func (l *Ledger) announce(i, events int, tell *messages.TasksReady) []Command {
	o := l.outcomes[i]
	cs := l.group.finish(i, Command{ToObserver, messages.ObserveEvent{Run: l.r.Run, Task: i, N: events, Event: messages.TaskFinished{Outcome: o}}})
	cs = append(cs, l.endCommands(i)...)
	tell.Ended = append(tell.Ended, i)
	cs = append(cs, l.leaveServices(i)...)
	if l.services.told(i) {
		return cs // they heard when its key was known
	}
	for _, d := range l.plan.Downstreams(i) {
		l.pending[d.Task]--
		if l.pending[d.Task] == 0 && !l.has.has(d.Task) && (o.Status == messages.Completed || o.LeftOut() || !d.Hard) {
			tell.Ready = append(tell.Ready, d.Task)
		}
	}
	return cs
}

// hardBelow lists the transitive hard downstreams of i that have not ended, in canonical order.
func (l *Ledger) hardBelow(i int) []int {
	found := newBitset(len(l.plan.Tasks))
	stack := []int{i}
	for len(stack) > 0 {
		t := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, e := range l.plan.Down[t] {
			if e.Kind == graph.Hard && !found.has(e.Task) && !l.has.has(e.Task) {
				found.add(e.Task)
				stack = append(stack, e.Task)
			}
		}
	}
	var out []int
	for t := range found.all() {
		out = append(out, t)
	}
	return out
}

func (l *Ledger) cascadeOutcome(now time.Time, from messages.Outcome, to int) messages.Outcome {
	cancelled, cause, root := cascade(from)
	o := messages.Outcome{Task: l.plan.Tasks[to].ID, Status: messages.Skipped, Cause: cause, Root: root, Ended: now}
	if o.TimedOut = after(from); cancelled {
		o.Status = messages.Cancelled
	}
	return o
}

// Crashes of task actors.

func (l *Ledger) taskCrashed(m messages.TaskCrashed) []Command {
	if l.has.has(m.Task) {
		return l.tellFor(m.Task) // it may have died before it could: what they hear twice does nothing
	}
	return []Command{{ToProcesses, messages.AbandonProcess{Run: l.r.Run, Task: m.Task, Reason: m.Reason, Stack: m.Stack}}}
}

func (l *Ledger) processAbandoned(now time.Time, m messages.ProcessAbandoned) []Command {
	if l.has.has(m.Task) { // its last word came behind that of its death
		return l.tellFor(m.Task)
	}
	l.crashed.add(m.Task)
	cs := []Command{l.release(messages.Ref{Run: m.Run, Task: m.Task}, true, m.Ran)}
	out := l.crashOutcome(now, m.Task, m.Reason, m.Stack)
	if m.Ran {
		out.Spawned = 1 // or more: who could count them is dead
	}
	cs = append(cs, l.record(now, m.Task, out, 0)...)
	return append(cs, l.tellFor(m.Task)...)
}

// tellFor tells the downstreams of a task what its own actor, which is dead, cannot say any more.
func (l *Ledger) tellFor(i int) []Command {
	var cs []Command
	for _, d := range l.plan.Downstreams(i) {
		cs = append(cs, Command{ToTask, wordTo(l.r.Run, i, l.outcomes[i], l.digestsAt(i), d)})
	}
	return cs
}

func (l *Ledger) crashOutcome(now time.Time, i int, reason, stack string) messages.Outcome {
	e := &messages.TaskError{Kind: messages.ErrCrash, Reason: "a defect in haz: " + reason, Hint: "please report this"}
	if stack != "" {
		e.Causes = []string{stack}
	}
	return messages.Outcome{Task: l.plan.Tasks[i].ID, Status: messages.Failed, Error: e, Ended: now}
}

func (l *Ledger) runEvent(e messages.Event) Command {
	return Command{ToObserver, messages.ObserveEvent{Run: l.r.Run, Task: -1, Event: e}}
}

// Report is what the ledger holds, for the result of the run.
func (l *Ledger) Report() (outcomes []messages.Outcome, violations []messages.Violation) {
	return l.outcomes, l.violations
}

// Complete makes sure that every task has an outcome (S-10), for a run that lost an actor which it cannot do without: what is
// missing is a crash that says why. It is the end: what tasks report that die with the run changes nothing, and is no violation.
func (l *Ledger) Complete(now time.Time, reason string) {
	l.ended = true
	for i := range l.outcomes {
		if !l.has.has(i) {
			l.outcomes[i] = l.crashOutcome(now, i, reason, "")
			l.has.add(i)
		}
	}
}

// Counts of the outcomes so far.
func (l *Ledger) Counts() messages.Counts { return CountOutcomes(l.outcomes) }

// CountOutcomes adds outcomes up.
func CountOutcomes(os []messages.Outcome) messages.Counts {
	var c messages.Counts
	for _, o := range os {
		c.Add(o)
	}
	return c
}
