package actorstest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
)

// checker holds the invariants of ARCHITECTURE.md against what is delivered, started, and observed.
type checker struct {
	Subject
	s      *Sim
	procs  *processes
	o      RunOptions
	rep    *Report
	cancel func(string, int)

	index    map[string]int
	recorded map[int]messages.Status // outcomes that reached the supervisor
	resolves map[int][]uint32        // attempts of Resolve
	hits     map[int][]uint32        // attempts of OutputsDiffer
	answered map[messages.Ref]string // what the cache actor has answered
	exited   map[int]bool            // the last process ended with 0
	exits    map[int]uint32          // whose end that is: word of an earlier one may come twice, and late
	judged   map[int]bool
	closed   bool // the cancel flag is up, or an essential actor is known to be dead
	forced   bool
	died     bool         // somebody was made to panic
	dead     []string     // essential actors that were
	late     bool         // one was, but while it stopped: that need not be noticed, but may
	doomed   map[int]bool // tasks whose actor was
	blind    bool         // nobody passes the end of the events on: the observer is dead, or the root
	stopping bool         // the root has nothing left to do but to stop
	over     bool         // the result was handed over
	turns    int          // messages to the actor of PanicIn
	signals  int
	seen     map[string]int // how many ends were observed
	begun    map[string]bool
	counted  map[string]bool // messages of which one is counted
	grants   *grants
	attempts *attempts
	finals   *finals
	commands *commands
	services *services
	asked    map[int]time.Time     // when the latest process of a task was first asked to end
	askedFor map[messages.Ref]bool // whose request that was
}

func newChecker(r Subject, s *Sim, p *processes, o RunOptions, rep *Report) *checker {
	c := &checker{Subject: r, s: s, procs: p, o: o, rep: rep, index: map[string]int{}, recorded: map[int]messages.Status{},
		resolves: map[int][]uint32{}, answered: map[messages.Ref]string{}, hits: map[int][]uint32{}, exited: map[int]bool{}, exits: map[int]uint32{}, judged: map[int]bool{}, seen: map[string]int{}, begun: map[string]bool{}, doomed: map[int]bool{}, grants: newGrants(), attempts: newAttempts(), finals: newFinals(), commands: newCommands(r.Cap, o), services: newServices(), asked: map[int]time.Time{}, askedFor: map[messages.Ref]bool{}, counted: map[string]bool{}}
	rep.Deliveries = make([]int, len(r.Plan.Tasks))
	for i, t := range r.Plan.Tasks {
		c.index[t.ID.String()] = i
	}
	for _, i := range r.Settled {
		c.recorded[i], c.finals.ended[i] = messages.Completed, true
	}
	return c
}

func (c *checker) broken(format string, args ...any) {
	c.rep.Broken = append(c.rep.Broken, fmt.Sprintf(format, args...))
}

// before is the place where an actor may be made to panic, once a run.
func (c *checker) before(name string, m any) {
	f := c.o.Faults
	if f.PanicIn == name {
		c.turns++
	}
	task := -1
	if i, err := strconv.Atoi(strings.TrimPrefix(name, "task-")); err == nil {
		task = i
	}
	switch {
	case c.died || c.over:
		return
	case f.PanicIn == "" && f.PanicAt > 0 && c.s.posted >= f.PanicAt:
	case f.PanicIn == name && f.PanicAt > 0 && c.turns >= f.PanicAt:
	case f.PanicBusy && task >= 0 && c.procs.alive[c.Plan.Tasks[task].ID.String()] != nil:
	default:
		return
	}
	c.died = true
	if task >= 0 {
		c.doomed[task] = true
	} else if c.stopping {
		c.late = true
	} else {
		c.dead = append(c.dead, name)
		c.blind = c.blind || name == "observer" || name == "run"
	}
	panic(injected(name))
}

func injected(name string) string { return "injected into " + name }

// posted sees every message when it is sent: each request to the cache actor has one answer.
func (c *checker) posted(to string, m any) {
	c.grants.sent(m)
	c.cascaded(m)
	c.attempts.sent(c, m)
	c.finals.sent(m)
	c.commands.sent(c, m)
	c.services.sent(c, m)
	if m, ok := m.(messages.SignalProcess); ok && !m.Kill && to == "processes" {
		if at := (messages.Ref{Task: m.Task, Attempt: m.Attempt}); !c.askedFor[at] {
			c.askedFor[at], c.asked[m.Task] = true, c.s.Now() // from here on, however long it takes to be sent
		}
	}
	a, ok := m.(messages.Referring)
	if !ok || !strings.HasPrefix(to, "task-") {
		return
	}
	switch m := m.(type) {
	case messages.LockRefused:
		if f := c.o.Faults; f.InOrder && f.Late == 0 && !c.o.Others && !c.died && c.signals == 0 && c.s.lost == 0 { // out of order, the word of an end comes late
			c.broken("S-37: %s waits for %s, though no other haz is at work", c.Plan.Tasks[m.Task].ID, m.HeldTask)
		}
	case messages.SlotGranted, messages.ProcessExited, messages.ProcessNotStarted, messages.ClaimJudged, messages.OutcomeRecorded,
		messages.TimeExpired, messages.PatienceExpired, messages.GraceExpired, messages.ServiceNoted, messages.ProcessReady, messages.ReadyExpired: // of others, who repeat what they are asked or told twice
		return
	}
	if first, again := c.answered[a.Request()]; again {
		c.broken("CACHE-017: the answers to one request are %s and %s", first, label(m))
	}
	c.answered[a.Request()] = label(m)
}

// cascaded notes an outcome that the ledger has written down itself, as it does for what is downstream of a failure. Mostly the task's own
// actor confirms it; one that dies before it could has ended all the same.
func (c *checker) cascaded(m any) {
	o, ok := m.(messages.ObserveEvent)
	if !ok {
		return
	}
	if e, ok := o.Event.(messages.TaskFinished); ok {
		if _, again := c.recorded[o.Task]; !again {
			c.recorded[o.Task] = e.Outcome.Status
		}
	}
}

// delivered sees every message right before its actor does.
func (c *checker) delivered(to string, m any) {
	f := c.o.Faults
	for i, at := range []int{f.CancelAt, f.SecondAt, f.ThirdAt} {
		if at > 0 && c.s.posted == at && c.signals <= i {
			c.signal()
		}
	}
	c.grants.delivered(c, to, m)
	c.attempts.delivered(c, to, m)
	c.commands.delivered(c, to, m)
	c.services.delivered(to, m)
	c.count(to, m)
	switch m := m.(type) {
	case messages.Resolve:
		c.resolves[m.Task] = append(c.resolves[m.Task], m.Attempt)
		c.ready(m.Task)
	case messages.OutputsDiffer:
		c.hits[m.Task] = append(c.hits[m.Task], m.Attempt)
	case messages.RestoreOutputs:
		if before(c.hits[m.Task], m.Attempt) < before(c.resolves[m.Task], m.Attempt) || len(c.hits[m.Task]) == 0 {
			c.broken("I8: restore of %s without a hit", c.Plan.Tasks[m.Task].ID)
		}
	case messages.ProcessExited:
		if m.Attempt >= c.exits[m.Task] {
			c.exits[m.Task], c.exited[m.Task] = m.Attempt, m.Code == 0 && m.Signal == 0
		}
	case messages.ClaimJudged:
		c.judged[m.Task] = !m.Violated
	case messages.StoreEntry:
		if !c.exited[m.Task] || !c.judged[m.Task] {
			c.broken("I8: store of %s, which did not complete a fresh run without violation", c.Plan.Tasks[m.Task].ID)
		}
	case messages.RecordOutcome:
		c.rep.hitRecorded(m)
		id := c.Plan.Tasks[m.Task].ID.String()
		if c.procs.alive[id] != nil {
			c.broken("I10: outcome of %s while its process lives", id)
		}
		if _, again := c.recorded[m.Task]; !again {
			c.recorded[m.Task] = m.Outcome.Status
		}
	case messages.ProcessAbandoned:
		if _, again := c.recorded[m.Task]; !again && to == "supervisor" {
			c.recorded[m.Task] = messages.Failed
		}
		if id := c.Plan.Tasks[m.Task].ID.String(); c.procs.alive[id] != nil {
			c.broken("I10: %s is given up while its process lives", id)
		}
	case messages.KillProcesses, messages.AbandonProcess:
		c.forced = true
	case messages.CancelTask:
		c.forced = c.forced || m.Force
	}
}

// count adds a delivery to those of its task.
func (c *checker) count(to string, m any) {
	task, further := -1, ""
	switch m := m.(type) {
	case messages.ObserveEvent:
		task = m.Task
		switch m.Event.(type) {
		case messages.TaskOutput:
			further = "output"
		case messages.TaskNoted:
			return
		}
	case messages.TasksReady:
		for _, i := range m.Ended {
			c.rep.Deliveries[i]++
		}
		return
	case messages.UpstreamCompleted, messages.UpstreamEnded:
		task, further = m.(messages.ForTask).TaskIndex(), "upstream"
	case messages.ForTask:
		task = m.TaskIndex()
	}
	if task < 0 {
		return
	}
	if further != "" {
		further = fmt.Sprint(further, to, task)
		if c.counted[further] {
			return
		}
		c.counted[further] = true
	}
	c.rep.Deliveries[task]++
}

// received sees every message right after its actor.
func (c *checker) received(to string, m any) {
	c.finals.received(to, m)
	c.services.received(to, m)
	switch m := m.(type) {
	case messages.ActorCrashed:
		c.closed = c.closed || to == "run"
	case messages.CancelRun:
		c.closed = c.closed || to == "supervisor"
	case messages.SignalProcess:
		if q := c.procs.alive[c.Plan.Tasks[m.Task].ID.String()]; q != nil && q.starting && to == "processes" && m.Attempt == c.commands.asked[m.Task] {
			q.owed = true
		}
	case messages.EventsClosed:
		c.stopping = true
	}
}

// signal asks for the end of the run once more.
func (c *checker) signal() {
	c.signals++
	if c.o.Faults.HostCancels && c.signals == 1 {
		c.cancel("", 0)
	} else {
		c.cancel("SIGINT", 2)
	}
}

// before is the latest attempt below a limit; 0 when there is none.
func before(attempts []uint32, limit uint32) uint32 {
	latest := uint32(0)
	for _, a := range attempts {
		if a < limit {
			latest = max(latest, a)
		}
	}
	return latest
}

// ready checks I2 when a key derivation is asked for.
func (c *checker) ready(i int) {
	for _, e := range c.Plan.Up[i] {
		if e.Task == i {
			continue
		}
		st, ended := c.recorded[e.Task]
		switch {
		case c.services.keyed[e.Task]:
		case e.Kind == graph.Hard && st != messages.Completed && !c.attempts.leftOut[e.Task]:
			c.broken("I2: %s keyed before %s completed", c.Plan.Tasks[i].ID, c.Plan.Tasks[e.Task].ID)
		case !ended:
			c.broken("I2: %s keyed before %s ended", c.Plan.Tasks[i].ID, c.Plan.Tasks[e.Task].ID)
		}
	}
}

// started checks what a new process means: I4, I5, I6, I9, and that who has the terminal is alone (EXEC-060).
func (c *checker) started(id string) {
	c.rep.Order = append(c.rep.Order, id)
	c.attempts.started(c, id)
	if c.seen[id] > 0 {
		c.broken("I3: %s started after its end", id)
	}
	c.services.started(c, id)
	executing, interactive := 0, ""
	tagged, locks := map[string]int{}, map[string][]bool{}
	for other := range c.procs.alive {
		t := c.Plan.Tasks[c.index[other]]
		if c.services.up[c.index[other]] {
			continue
		}
		executing++
		for _, tag := range t.Project.Tags {
			tagged[tag]++
		}
		if m := t.Mutex; m != nil {
			name := m.Name
			if m.ProjectScope {
				name = t.Project.Name + "/" + m.Name
			}
			locks[name] = append(locks[name], m.Shared)
		}
		if t.Interactive {
			interactive = other
		}
		if other != id {
			for _, conflict := range c.Plan.Conflicts[c.index[id]] {
				if conflict == c.index[other] {
					c.broken("S-07: %s beside %s", id, other)
				}
			}
		}
	}
	if most := c.commands.most(c.index[id]); executing > most {
		c.broken("I5: %d processes, cap %d", executing, most)
	}
	if interactive != "" && executing > 1 {
		c.broken("EXEC-060: %d processes beside %s", executing-1, interactive)
	}
	for tag, most := range c.Plan.G.W.Settings.TagCaps {
		if tagged[tag] > most {
			c.broken("I5: %d processes of tag %s, cap %d", tagged[tag], tag, most)
		}
	}
	for name, modes := range locks {
		for _, shared := range modes {
			if len(modes) > 1 && !shared {
				c.broken("I6: mutex %s is held exclusively and by %d others", name, len(modes)-1)
			}
		}
	}
	if c.closed && !c.finals.goesOn(c, c.index[id]) {
		c.broken("I9: %s started after the cancel flag", id)
	}
	if c.over {
		c.broken("%s started after the run", id)
	}
}

// killed checks I11.
func (c *checker) killed(p *simProcess) {
	if c.forced || len(c.dead) > 0 || c.procs.killAll || c.signals > 2 || c.doomed[c.index[p.label]] {
		return
	}
	if at, asked := c.commands.ended[c.index[p.label]]; asked && c.s.Now().Sub(at) >= c.Grace {
		return // one word may take longer than the other to arrive
	}
	if asked, is := c.asked[c.index[p.label]]; !is || c.s.Now().Sub(asked) < c.Grace {
		c.broken("I11: KILL of %s without TERM and grace", p.label)
	}
}

// between runs after each message: events observed so far keep their order (I14).
func (c *checker) between() {
	for ; len(c.rep.Events) > c.seen["#"]; c.seen["#"]++ {
		c.observed(c.rep.Events[c.seen["#"]])
	}
}

func (c *checker) observed(e messages.Event) {
	if c.over {
		c.broken("%T was observed after the run", e)
	}
	switch e := e.(type) {
	case messages.TaskStarted:
		id := e.Task.String()
		if c.begun[id] || c.seen[id] > 0 {
			c.broken("I14: second or late start of %s", id)
		}
		c.begun[id] = true
	case messages.TaskOutput:
		id := e.Task.String()
		if (!c.begun[id] && c.s.lost == 0) || c.seen[id] > 0 {
			c.broken("I14: output of %s outside of its life", id)
		}
	case messages.AttemptFailed:
		if id := e.Task.String(); (!c.begun[id] && c.s.lost == 0) || c.seen[id] > 0 {
			c.broken("I14: an attempt of %s outside of its life", id)
		}
	case messages.TaskRestarted:
		if id := e.Task.String(); (!c.begun[id] && c.s.lost == 0) || c.seen[id] > 0 {
			c.broken("I14: another process of %s outside of its life", id)
		}
	case messages.TaskFinished:
		id := e.Outcome.Task.String()
		if c.seen[id]++; c.seen[id] > 1 {
			c.broken("I14: second end of %s", id)
		}
		if st := e.Outcome.Status; st == messages.Skipped && (c.begun[id] || c.procs.Count(id) > 0) && e.Outcome.Cause != messages.RunStopped {
			c.broken("I3: %s is skipped, yet it started", id)
		}
	}
}

// end checks what must hold when the run is over: I1, I3, I7, I10, I12, I13 and the tree.
func (c *checker) end() {
	c.between()
	if n := len(c.procs.alive); n > 0 && c.signals < 3 {
		c.broken("I10: %d processes alive after the run", n)
	}
	byID := map[string]messages.Outcome{}
	for i, o := range c.rep.Result.Outcomes {
		id := c.Plan.Tasks[i].ID.String()
		byID[id] = o
		if o.Status == 0 {
			c.broken("I1: %s has no outcome", id)
		}
		if c.seen[id] != 1 && !c.blind && !c.rep.Result.ObserverStuck {
			c.broken("I14: %d ends of %s observed", c.seen[id], id)
		}
	}
	for id, o := range byID {
		if o.Root.Project != "" {
			if root := byID[o.Root.String()]; root.Status == messages.Completed && o.Cause != messages.RuntimeCycle || root.Status == messages.Skipped {
				c.broken("I3: %s names %s as root, which did not fail", id, o.Root)
			}
		}
		if o.Status == messages.Completed && len(c.rep.Result.Violations) == 0 && c.Wrong != nil {
			if wrong := c.Wrong(id); wrong != "" {
				c.broken("wrong bytes: %s completed, yet %s", id, wrong)
			}
		}
	}
	if c.s.lost == 0 {
		for _, v := range c.rep.Result.Violations {
			if v.Kind == messages.Internal {
				c.broken("internal violation: %s %v", v.Message, v.Tasks)
			}
		}
	}
	if c.s.work > 0 && c.o.Faults.InOrder && c.o.Faults.Late == 0 && !c.rep.Result.ObserverStuck && c.s.lost == 0 && len(c.dead) == 0 && c.signals < 3 {
		c.broken("S-10: the run has ended, and work goes on")
	}
	if c.s.changes > 1 {
		c.broken("CACHE-017: %d entries were published or set aside at a time", c.s.changes)
	}
	c.settled()
	c.grants.end(c)
	c.attempts.end(c)
	c.finals.end(c)
	c.commands.end(c)
	c.services.end(c)
	c.crash()
	c.streams(byID)
	c.over = true
}

// crash checks that what died, and nothing else, is the crash of the run (S-10).
func (c *checker) crash() {
	crash := ""
	if c.rep.Result.Crash != nil {
		crash = c.rep.Result.Crash.Error()
	}
	if len(c.dead) == 0 && !c.late && crash != "" {
		c.broken("crash: %s", crash)
	}
	for _, name := range c.dead {
		if !strings.Contains(crash, injected(name)) {
			c.broken("S-10: %s died, and the crash of the run is %q", name, crash)
		}
	}
	for i, o := range c.rep.Result.Outcomes {
		e := o.Error
		if e == nil || e.Kind != messages.ErrCrash {
			continue
		}
		switch {
		case c.s.lost > 0:
		case len(c.dead) > 0 && strings.Contains(e.Reason, injected(c.dead[0])):
		case c.doomed[i]:
		default:
			c.broken("S-10: the error of %s is %q", o.Task, e.Reason)
		}
	}
}

// streams checks I12: what was shown is what was recorded.
func (c *checker) streams(byID map[string]messages.Outcome) {
	if c.s.lost > 0 || len(c.dead) > 0 || c.rep.Result.ObserverStuck || c.rep.Result.Cancelled && c.o.Faults.Tight {
		return // once a run is cancelled, what does not fit is not shown (S-14)
	}
	shown := map[string]string{}
	for _, e := range c.rep.Events {
		switch e := e.(type) {
		case messages.TaskOutput:
			shown[e.Task.String()] += string(e.Bytes)
		case messages.AttemptFailed: // what is recorded is of the last attempt
			shown[e.Task.String()] = ""
		case messages.TaskRestarted:
			shown[e.Task.String()] = ""
		}
	}
	for id, o := range byID {
		if o.Status == messages.Completed && int64(len(shown[id])) != o.StdoutLen+o.StderrLen {
			c.broken("I12: %s showed %d bytes, recorded %d", id, len(shown[id]), o.StdoutLen+o.StderrLen)
		}
	}
}

// grace of every run of a World.
const grace = 200 * time.Millisecond

// afterwards checks what must hold when everything has come to rest: no process is left, and no lock.
func (c *checker) afterwards() {
	if n := len(c.procs.alive); n > 0 {
		c.broken("I10: %d processes outlive the run for good", n)
	}
	for _, q := range c.procs.all {
		if q.owed && !q.heard && len(c.dead) == 0 && c.signals < 3 {
			c.broken("EXEC-013: %s was to be asked to end while it started, and never was", q.label)
		}
	}
	st := state.Open(c.FS, digest.BLAKE3)
	for _, t := range c.Plan.Tasks {
		l, refused, err := st.TryLockTask(state.LockRequest{Task: t.ID.String()})
		if err != nil || refused != nil {
			c.broken("the lock of %s was not given back: %v, %v", t.ID, refused, err)
			continue
		}
		l.Unlock()
	}
}
