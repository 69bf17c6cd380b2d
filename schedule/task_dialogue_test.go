package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// taskDialogue tells one task's machine what happens. Tasks are numbered: upstreams 0 to 8, this one is 9, downstreams follow.
type taskDialogue struct {
	m   *Task
	now time.Time
}

// task service restarts=2 target services=(0) hard=(0,1) soft=(2) down=(10,11) softdown=(12) uncached no-lookup no-store grace=0 timeout retry=2 delay on=(75)
func newTaskDialogue(t testing.TB, td *datadriven.TestData) *taskDialogue {
	c := taskConfig{index: 9, id: parseID("p:t"), cached: !td.HasArg("uncached"),
		Rules: Rules{Lookup: !td.HasArg("no-lookup"), Store: !td.HasArg("no-store"), Grace: time.Second}}
	ints := func(a datadriven.CmdArg) []int {
		var out []int
		for i := range a.Vals {
			n := 0
			a.Scan(t, i, &n)
			out = append(out, n)
		}
		return out
	}
	for _, a := range td.CmdArgs {
		switch a.Key {
		case "hard":
			c.hard = ints(a)
		case "soft":
			c.soft = ints(a)
		case "after": // a finalizer of these, and nothing else
			c.soft, c.finalizes, c.onlyThat = append(c.soft, ints(a)...), map[int]bool{}, !td.HasArg("asked-for")
			for _, n := range ints(a) {
				c.finalizes[n] = true
			}
		case "down", "softdown":
			for _, n := range ints(a) {
				c.down = append(c.down, graph.Neighbour{Task: n, Hard: a.Key == "down"})
			}
		case "service":
			c.service, c.cached = &workspace.Service{Ready: workspace.Ready{Timeout: 30 * time.Second}}, false
		case "restarts":
			c.service.Restarts = ints(a)[0]
		case "keep":
			c.Keep = true
		case "target":
			c.target = true
		case "services":
			c.services, c.hard = ints(a), append(c.hard, ints(a)...)
		case "grace":
			c.Grace = 0
		case "timeout":
			c.timeout = time.Minute
		case "retry":
			c.retry = workspace.Retry{Times: ints(a)[0]}
		case "delay":
			c.retry.Delay, c.retry.Factor = time.Second, 3
		case "on":
			c.retry.On = &workspace.RetryOn{Codes: ints(a)}
		}
	}
	return &taskDialogue{m: newTask(c), now: time.Unix(100, 0)}
}

func (d *taskDialogue) say(t testing.TB, td *datadriven.TestData) string {
	ref := messages.Ref{Task: 9, Attempt: d.m.attempt}
	if td.HasArg("stale") {
		ref.Attempt--
	}
	number := func() int {
		n, err := strconv.Atoi(td.CmdArgs[0].Key)
		if err != nil {
			t.Fatalf("%s: %v", td.Pos, err)
		}
		return n
	}
	keyed := messages.Keyed{Key: digest.Digest{0xab}}
	var m any
	switch td.Cmd {
	case "wait": // time passes
		d.now = d.now.Add(time.Duration(number()) * time.Millisecond)
		return ""
	case "begin":
		m = messages.BeginTask{Task: 9}
	case "upstream-completed":
		m = messages.UpstreamCompleted{Task: 9, Digests: messages.UpstreamDigests{Task: number(), Own: digest.Digest{byte(number())}}}
	case "upstream-ended":
		m = messages.UpstreamEnded{Task: 9, Upstream: number(), Began: td.HasArg("began")}
	case "upstream-failed":
		m = messages.UpstreamFailed{Task: 9, Upstream: number(), Cause: messages.UpstreamDidFail, Root: parseID("q:root")}
	case "upstream-cancelled":
		m = messages.UpstreamFailed{Task: 9, Upstream: number(), Cancelled: true, Root: parseID("q:root")}
	case "cancel":
		m = messages.CancelTask{Task: 9, SpareRunning: td.HasArg("spare-running"), Force: td.HasArg("force"), Interrupt: td.HasArg("interrupt")}
	case "skip":
		m = messages.SkipTask{Task: 9, Cause: messages.RunStopped, Root: parseID("q:root")}
		if td.HasArg("cycle") {
			m = messages.SkipTask{Task: 9, Cause: messages.RuntimeCycle, Root: parseID("q:root")}
		}
	case "cancel-one":
		m = messages.CancelOne{Task: 9}
	case "restart-one":
		m = messages.RestartOne{Task: 9}
	case "key-failed":
		m = messages.KeyFailed{Ref: ref, Error: messages.TaskError{Kind: messages.ErrKey, Reason: "input a.c does not exist"}}
	case "missed":
		m = messages.EntryMissed{Ref: ref, Keyed: keyed, Miss: &entry.Miss{Reason: entry.NoEntry}}
		if td.HasArg("unasked") {
			m = messages.EntryMissed{Ref: ref, Keyed: keyed}
		}
	case "differ":
		m = messages.OutputsDiffer{Ref: ref, Keyed: keyed}
	case "restored":
		r := messages.OutputsRestored{Ref: ref, Next: d.m.events + 2}
		if d.m.State() == Resolving {
			r.Keyed = keyed
			r.Next++ // its start
		}
		m = r
	case "restore-failed":
		r := messages.RestoreFailed{Ref: ref, Miss: entry.Miss{Reason: entry.Damaged}, Note: "damaged"}
		if d.m.State() == Resolving {
			r.Keyed = keyed
		}
		m = r
	case "granted":
		m = messages.SlotGranted{Ref: ref}
	case "prepared":
		m = messages.ExecutionPrepared{Ref: ref}
	case "moved":
		m = messages.InputsMoved{Ref: ref}
	case "refused":
		m = messages.LockRefused{Ref: ref, HeldTask: "p:t", HazPID: 7, TaskPID: 8, Ancestor: td.HasArg("ancestor")}
		if td.HasArg("deep") {
			m = messages.LockRefused{Ref: ref, HeldTask: "p:t", Deep: 8}
		}
	case "freed":
		m = messages.LockFreed{Ref: ref}
	case "never-freed":
		m = messages.LockNeverFreed{Ref: ref, Reason: "waiting would never end"}
	case "not-started":
		m = messages.ProcessNotStarted{Ref: ref, Error: messages.TaskError{Kind: messages.ErrSpawn, Reason: "no such program"}, Cancelled: td.HasArg("cancelled"), Ran: td.HasArg("ran")}
	case "exited":
		e := messages.ProcessExited{Ref: ref, Next: d.m.events + 3, Cancelled: td.HasArg("cancelled"), Kept: td.HasArg("kept")}
		e.Code = number()
		if td.HasArg("unknown") {
			e.WaitError = "lost"
		}
		if td.HasArg("killed") {
			e.Killed = []messages.Leftover{{PID: 12, Command: "sleep 20"}, {PID: 13, Command: "a"}, {PID: 14, Command: "b"}, {PID: 15, Command: "c"}}
		}
		m = e
	case "condition-unmet":
		m = messages.ConditionUnmet{Ref: ref}
	case "attempt-ended":
		m = messages.AttemptEnded{Ref: ref}
	case "attempt-due":
		m = messages.AttemptDue{Ref: ref}
	case "time-expired":
		m = messages.TimeExpired{Ref: ref}
	case "patience-expired":
		m = messages.PatienceExpired{Ref: ref}
	case "grace-expired":
		m = messages.GraceExpired{Ref: ref}
	case "collected":
		c := messages.OutputsCollected{Ref: ref}
		if td.HasArg("bystander") {
			c.NotStorable = "`/p/out/a` matches `out/*` but was there before"
		}
		m = c
	case "rejected":
		m = messages.OutputsRejected{Ref: ref, Error: messages.TaskError{Kind: messages.ErrOutputMissing, Reason: "declared output a was not produced"}}
	case "judged":
		m = messages.ClaimJudged{Ref: ref, Violated: td.HasArg("violated")}
	case "stored":
		m = messages.EntryStored{Ref: ref, AlreadyThere: td.HasArg("already")}
	case "store-failed":
		m = messages.StoreFailed{Ref: ref, Reason: "no space left"}
	case "recorded":
		m = messages.OutcomeRecorded{Ref: ref}
	case "service-resolved":
		m = messages.ServiceResolved{Ref: ref, Keyed: keyed, Own: digest.Digest{0xcd}}
	case "noted":
		m = messages.ServiceNoted{Ref: ref}
	case "needed": // by
		m = messages.NeedService{Task: 9, By: number()}
	case "service-ready":
		m = messages.ServiceReady{Task: 9, Upstream: number(), Port: 81}
	case "service-lost":
		m = messages.ServiceLost{Task: 9, Upstream: number(), Restarting: td.HasArg("restarting"), Cancelled: td.HasArg("cancelled"), Cause: messages.UpstreamDidFail, Root: parseID("q:root")}
	case "unused":
		m = messages.ServiceUnused{Task: 9}
	case "process-ready":
		m = messages.ProcessReady{Ref: ref, Port: 81}
	case "ready-expired":
		m = messages.ReadyExpired{Ref: ref}
	default:
		t.Fatalf("%s: unknown command %s", td.Pos, td.Cmd)
	}
	out := printTask(d.m.Step(d.now, m))
	return strings.TrimSpace(out + "\n= " + d.m.State().String())
}

func printTask(cs []Command) string {
	var out []string
	for _, c := range cs {
		name := strings.TrimPrefix(fmt.Sprintf("%T", c.Msg), "messages.")
		s := fmt.Sprintf("%s %s", c.To, name)
		switch m := c.Msg.(type) {
		case messages.Resolve:
			s += fmt.Sprintf(" upstreams=%d", len(m.Upstreams))
			if !m.Look {
				s += ", the key alone"
			}
		case messages.PrepareExecution:
			s += fmt.Sprintf(" unchecked=%v", m.Unchecked)
		case messages.CollectOutputs:
			s += fmt.Sprintf(" presence-only=%v", m.PresenceOnly)
		case messages.SignalProcess:
			if m.Interrupt {
				s += " interrupt=true"
			}
			s += fmt.Sprintf(" kill=%v", m.Kill)
		case messages.AttemptDue:
			s += fmt.Sprintf(" after=%v", m.After)
		case messages.StoreEntry:
			s += fmt.Sprintf(" attempt=%d", m.Attempt)
		case messages.StartProcess:
			if m.Timeout > 0 {
				s += fmt.Sprintf(" timeout=%v", m.Timeout)
			}
		case messages.CommandTaken:
			s += ": " + m.Verdict.String()
		case messages.TaskHeldUp:
			s += fmt.Sprintf(" resolving=%v", m.Resolving)
		case messages.ObserveEvent:
			s += fmt.Sprintf(" %d %T", m.N, m.Event)
			switch e := m.Event.(type) {
			case messages.TaskNoted:
				s += " " + e.Text
			case messages.AttemptFailed:
				s += fmt.Sprintf(" %d of %d: exit %d, timed out after %v, in %v; wait %v", e.N, e.Allowed, e.Attempt.ExitCode, e.Attempt.TimedOut, e.Attempt.Took, e.Wait)
			}
		case messages.RecordOutcome:
			if m.Wrote {
				s += " wrote"
			}
			s += " " + describe(m.Outcome)
			if m.Outcome.Store != 0 {
				s += [...]string{"", ", stored", ", not stored: " + m.Outcome.StoreReason, ", already there"}[m.Outcome.Store]
			}
			if q := m.Outcome.Queued; q > 0 {
				s += fmt.Sprintf(", queued %s", q)
			}
			for _, f := range m.Outcome.Failures {
				s += fmt.Sprintf(", after exit %d", f.ExitCode)
			}
			if n := m.Outcome.Restarted; n > 0 {
				s += fmt.Sprintf(", restarted %d times", n)
			}
			if m.Outcome.Flaky() {
				s += fmt.Sprintf(", made on attempt %d of %d", m.Outcome.MadeOn, m.Outcome.Allowed)
			}
			s += fmt.Sprintf(", took %s, %d events before", m.Outcome.Took(), m.Events)
		case messages.NeedService:
			s += fmt.Sprintf(" %d", m.Task)
		case messages.ServiceReady:
			s += fmt.Sprintf(" %d port=%d", m.Task, m.Port)
		case messages.ServiceLost:
			s += fmt.Sprintf(" %d restarting=%v", m.Task, m.Restarting)
		case messages.UpstreamCompleted:
			s += fmt.Sprintf(" %d", m.Task)
		case messages.UpstreamEnded:
			s += fmt.Sprintf(" %d", m.Task)
		case messages.UpstreamFailed:
			s += fmt.Sprintf(" %d cancelled=%v root=%s", m.Task, m.Cancelled, m.Root)
		}
		out = append(out, strings.ReplaceAll(s, "messages.", ""))
	}
	return strings.Join(out, "\n")
}
