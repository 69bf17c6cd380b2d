package schedule

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// The dialogues in testdata are the specification of the machines: what is told, and under ---- what is to be done then.

func TestAdmissionDialogues(t *testing.T) {
	datadriven.Walk(t, "testdata/admission", func(t *testing.T, path string) {
		var d *admissionDialogue
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			if td.Cmd == "run" {
				d = newAdmissionDialogue(t, td)
				return ""
			}
			return d.say(td)
		})
	})
}

func TestLedgerDialogues(t *testing.T) {
	datadriven.Walk(t, "testdata/ledger", func(t *testing.T, path string) {
		var d *ledgerDialogue
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			if td.Cmd == "run" {
				d = newLedgerDialogue(t, td)
				return d.print(d.l.Begin())
			}
			return d.say(t, td)
		})
	})
}

func TestTaskDialogues(t *testing.T) {
	datadriven.Walk(t, "testdata/task", func(t *testing.T, path string) {
		var d *taskDialogue
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			if td.Cmd == "task" {
				d = newTaskDialogue(t, td)
				return ""
			}
			return d.say(t, td)
		})
	})
}

// names maps task names to positions in canonical order.
type names struct {
	list []string
	pos  map[string]int
}

func newNames(list []string) names {
	sort.Slice(list, func(i, j int) bool { return parseID(list[i]).Compare(parseID(list[j])) < 0 })
	n := names{list, map[string]int{}}
	for i, s := range list {
		n.pos[s] = i
	}
	return n
}

func (n names) at(t testing.TB, s string) int {
	i, ok := n.pos[s]
	if !ok {
		t.Fatalf("no task %q", s)
	}
	return i
}

func parseID(s string) workspace.TaskID {
	p, t, _ := strings.Cut(s, ":")
	return workspace.TaskID{Project: p, Task: t}
}

func lines(s string) []string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// Admission.

type admissionDialogue struct {
	t        testing.TB
	n        names
	a        *Admission
	attempts []uint32
	failFast bool
}

func newAdmissionDialogue(t testing.TB, td *datadriven.TestData) *admissionDialogue {
	d := &admissionDialogue{t: t}
	c := admissionConfig{Rules: Rules{Cap: 1}}
	tags, locks := map[string]int{}, map[string]int{}
	for _, arg := range td.CmdArgs {
		if arg.Key == "cap" {
			arg.Scan(t, 0, &c.Cap)
			continue
		}
		if arg.Key == "fail-fast" {
			d.failFast = true
			continue
		}
		limit := 0
		arg.Scan(t, 0, &limit)
		tags[arg.Key] = len(c.tagCaps)
		c.tagCaps = append(c.tagCaps, limit)
	}
	var ids []string
	for _, l := range lines(td.Input) {
		ids = append(ids, strings.Fields(l)[0])
	}
	d.n = newNames(ids)
	c.tasks = make([]needs, len(ids))
	c.earliest = make([]int, len(ids))
	for _, l := range lines(td.Input) {
		f := strings.Fields(l)
		i := d.n.at(t, f[0])
		need := needs{mutex: -1}
		c.earliest[i] = i
		for _, kv := range f[1:] {
			k, v, _ := strings.Cut(kv, "=")
			switch k {
			case "tag":
				need.tags = append(need.tags, tags[v])
			case "mutex", "shared":
				if _, ok := locks[v]; !ok {
					locks[v] = len(locks)
				}
				need.mutex, need.shared = locks[v], k == "shared"
			case "alone":
				need.alone = true
			case "conflicts":
				need.conflicts = append(need.conflicts, d.n.at(t, v))
			case "before":
				c.earliest[i] = min(c.earliest[i], d.n.at(t, v))
			}
		}
		c.tasks[i] = need
	}
	for i, need := range c.tasks { // conflicts are mutual
		for _, o := range need.conflicts {
			c.tasks[o].conflicts = append(c.tasks[o].conflicts, i)
		}
	}
	d.a, d.attempts = newAdmission(len(ids), c), make([]uint32, len(ids))
	return d
}

// say: ready, ask, outputs, exit (process ended), fail (it failed), end (task ended), heldup, resolving, close; several tasks one after another.
func (d *admissionDialogue) say(td *datadriven.TestData) string {
	var out []string
	tell := func(m any) {
		for _, c := range d.a.Step(m) {
			g := c.Msg.(messages.SlotGranted)
			if g.Attempt != d.attempts[g.Task] {
				d.t.Fatalf("%s: grant of attempt %d, asked %d", td.Pos, g.Attempt, d.attempts[g.Task])
			}
			out = append(out, "grant "+d.n.list[g.Task])
		}
	}
	if td.Cmd == "close" {
		m := messages.CloseAdmission{SparesRestores: td.HasArg("spares-restores")}
		for _, a := range td.CmdArgs {
			if a.Key == "but" {
				for _, v := range a.Vals {
					m.Spared = append(m.Spared, d.n.at(d.t, v))
				}
			}
		}
		tell(m)
		return strings.Join(out, "\n")
	}
	if td.Cmd == "ready" {
		var all []int
		for _, arg := range td.CmdArgs {
			all = append(all, d.n.at(d.t, arg.Key))
		}
		tell(messages.TasksReady{Ready: all})
		return strings.Join(out, "\n")
	}
	if td.Cmd == "set-slots" {
		var m messages.SetSlots
		td.ScanArgs(d.t, "n", &m.N)
		td.ScanArgs(d.t, "to", &m.Slots)
		tell(m)
		return strings.Join(out, "\n")
	}
	for _, arg := range td.CmdArgs {
		i := d.n.at(d.t, arg.Key)
		ref := func() messages.Ref { return messages.Ref{Task: i, Attempt: d.attempts[i]} }
		switch td.Cmd {
		case "ask":
			d.attempts[i]++
			tell(messages.AskSlot{Ref: ref()})
		case "ask-again": // the same message twice
			tell(messages.AskSlot{Ref: ref()})
		case "outputs":
			d.attempts[i]++
			tell(messages.AskOutputs{Ref: ref()})
		case "exit":
			tell(messages.ReturnSlot{Ref: ref()})
		case "end":
			tell(messages.TasksReady{Ended: []int{i}})
		case "fail":
			tell(messages.TasksReady{Ended: []int{i}, Stop: d.failFast})
		case "stale-exit": // of an attempt before the latest
			tell(messages.ReturnSlot{Ref: messages.Ref{Task: i, Attempt: d.attempts[i] - 1}})
		case "heldup":
			tell(messages.TaskHeldUp{Ref: ref()})
		case "resolving":
			tell(messages.TaskHeldUp{Ref: ref(), Resolving: true})
		default:
			d.t.Fatalf("%s: unknown command %s", td.Pos, td.Cmd)
		}
	}
	return strings.Join(out, "\n")
}

// Ledger.

type ledgerDialogue struct {
	n   names
	l   *Ledger
	now time.Time
}

// newLedgerDialogue reads lines "b:y a:x:hard c:z:soft": a task and its upstreams, and whether it is a target, which counts for finalizers alone.
func newLedgerDialogue(t testing.TB, td *datadriven.TestData) *ledgerDialogue {
	d := &ledgerDialogue{now: time.Unix(0, 0)}
	var ids []string
	for _, l := range lines(td.Input) {
		ids = append(ids, strings.Fields(l)[0])
	}
	d.n = newNames(ids)
	p := &graph.Plan{Tasks: make([]*workspace.Task, len(ids)), Up: make([][]graph.Edge, len(ids)), Down: make([][]graph.Edge, len(ids)), Target: make([]bool, len(ids))}
	w := &workspace.Workspace{}
	for i, s := range d.n.list {
		p.Tasks[i] = &workspace.Task{ID: parseID(s), Index: i, Inputs: []workspace.PatternDecl{{Text: "src/*"}}}
	}
	w.Tasks = p.Tasks
	p.G = &graph.Graph{W: w}
	kinds := map[string]graph.EdgeKind{"hard": graph.Hard, "soft": graph.Soft, "producer": graph.Producer, "after": graph.Final}
	for _, l := range lines(td.Input) {
		f := strings.Fields(l)
		for _, e := range f[1:] {
			if e == "target" {
				p.Target[d.n.at(t, f[0])] = true
				continue
			}
			if e == "service" {
				p.Tasks[d.n.at(t, f[0])].Service = &workspace.Service{}
				continue
			}
			cut := strings.LastIndex(e, ":")
			up, down := d.n.at(t, e[:cut]), d.n.at(t, f[0])
			p.Up[down] = append(p.Up[down], graph.Edge{Task: up, Kind: kinds[e[cut+1:]]})
			p.Down[up] = append(p.Down[up], graph.Edge{Task: down, Kind: kinds[e[cut+1:]]})
		}
	}
	for _, es := range append(p.Up, p.Down...) {
		sort.Slice(es, func(i, j int) bool { return es[i].Task < es[j].Task })
	}
	d.l = NewLedger(p, Rules{FailFast: td.HasArg("fail-fast"), Grace: time.Second})
	return d
}

func (d *ledgerDialogue) say(t testing.TB, td *datadriven.TestData) string {
	arg := func(i int) int { return d.n.at(t, td.CmdArgs[i].Key) }
	outcome := func(o messages.Outcome) string {
		o.Task = parseID(d.n.list[arg(0)])
		if td.HasArg("ran") {
			o.Spawned = 1
		}
		return d.print(d.l.Step(d.now, messages.RecordOutcome{Ref: messages.Ref{Task: arg(0)}, Began: o.Status != messages.Skipped, Outcome: o}))
	}
	claim := func() ([]string, []messages.Read) {
		var wrote []string
		var reads []messages.Read
		for _, a := range td.CmdArgs[1:] {
			switch a.Key {
			case "wrote":
				wrote = append(wrote, a.Vals...)
			case "read-by":
				for _, v := range a.Vals {
					reads = append(reads, messages.Read{Reader: d.n.at(t, v), Path: "/x/src/a"})
				}
			}
		}
		return wrote, reads
	}
	switch td.Cmd {
	case "completed":
		return outcome(messages.Outcome{Status: messages.Completed, Source: messages.FromRun})
	case "hit":
		w, r := claim()
		o := messages.Outcome{Task: parseID(d.n.list[arg(0)]), Status: messages.Completed, Source: messages.FromCache}
		return d.print(d.l.Step(d.now, messages.RecordOutcome{Ref: messages.Ref{Task: arg(0)}, Began: true, Outcome: o, Product: &messages.Product{Wrote: w, Reads: r}}))
	case "failed":
		return outcome(messages.Outcome{Status: messages.Failed, ExitCode: 3})
	case "errored":
		return outcome(messages.Outcome{Status: messages.Failed, Error: &messages.TaskError{Kind: messages.ErrKey, Reason: "input missing"}})
	case "skipped":
		return outcome(messages.Outcome{Status: messages.Skipped, Cause: messages.RunStopped, Root: parseID(d.n.list[arg(1)])})
	case "cancelled":
		return outcome(messages.Outcome{Status: messages.Cancelled, Cause: messages.RunCancelled})
	case "signalled":
		return outcome(messages.Outcome{Status: messages.Cancelled, Cause: messages.Signalled, Spawned: 1})
	case "declined":
		return d.print(d.l.Step(d.now, messages.SkipDeclined{Task: arg(0)}))
	case "claim":
		w, r := claim()
		return d.print(d.l.Step(d.now, messages.ClaimOutputs{Ref: messages.Ref{Task: arg(0)}, Wrote: w, Reads: r}))
	case "crashed":
		return d.print(d.l.Step(d.now, messages.TaskCrashed{Task: arg(0), Reason: "boom"}))
	case "abandoned":
		return d.print(d.l.Step(d.now, messages.ProcessAbandoned{Task: arg(0), Ran: td.HasArg("ran"), Reason: "boom"}))
	case "signal":
		return d.print(d.l.Step(d.now, messages.CancelRun{N: len(d.l.signals) + 1, Signal: td.CmdArgs[0].Key}))
	case "host-cancels":
		return d.print(d.l.Step(d.now, messages.CancelRun{N: len(d.l.signals) + 1}))
	case "cancel-one":
		return d.print(d.l.Step(d.now, messages.CancelOne{Asked: d.asked(t, td), Task: arg(0)}))
	case "restart-one":
		return d.print(d.l.Step(d.now, messages.RestartOne{Asked: d.asked(t, td), Task: arg(0)}))
	case "slots":
		return d.print(d.l.Step(d.now, messages.SetSlots{Asked: d.asked(t, td), Slots: 3}))
	case "taken":
		return d.print(d.l.Step(d.now, messages.CommandTaken{Asked: d.asked(t, td), Task: arg(0), Verdict: messages.Taken}))
	case "requested":
		return outcome(messages.Outcome{Status: messages.Cancelled, Cause: messages.Requested})
	case "keyed":
		return d.print(d.l.Step(d.now, messages.ServiceKeyed{Ref: messages.Ref{Task: arg(0)}}))
	case "up":
		return d.print(d.l.Step(d.now, messages.ServiceUp{Ref: messages.Ref{Task: arg(0)}}))
	case "not-ready":
		return outcome(messages.Outcome{Status: messages.Failed, TimedOut: time.Minute, Spawned: 1, Error: &messages.TaskError{Kind: messages.ErrNotReady, Reason: "not ready after 1m"}})
	case "stall-check":
		m := messages.CheckStall{Moved: td.HasArg("moved")}
		td.MaybeScanArgs(t, "serving", &m.Serving)
		times := 1
		td.MaybeScanArgs(t, "busy", &m.Busy)
		td.MaybeScanArgs(t, "times", &times)
		var out []string
		for range times {
			m.Round = d.l.round + 1
			if td.HasArg("answered") {
				d.l.Step(d.now, messages.IdleReported{Actor: "cache", Round: d.l.asked})
				d.l.Step(d.now, messages.IdleReported{Actor: "processes", Round: d.l.asked})
			}
			if s := d.print(d.l.Step(d.now, m)); s != "" && (len(out) == 0 || out[len(out)-1] != s) {
				out = append(out, s)
			}
		}
		return strings.Join(out, "\n")
	case "idle":
		m := messages.IdleReported{Actor: td.CmdArgs[0].Key, Round: d.l.asked}
		if td.HasArg("then") { // an answer to the question before
			m.Round--
		}
		return d.print(d.l.Step(d.now, m))
	}
	t.Fatalf("%s: unknown command %s", td.Pos, td.Cmd)
	return ""
}

// asked is the number of a request: n=2.
func (d *ledgerDialogue) asked(t testing.TB, td *datadriven.TestData) (a messages.Asked) {
	td.ScanArgs(t, "n", &a.N)
	return a
}

func (d *ledgerDialogue) print(cs []Command) string {
	var out []string
	for _, c := range cs {
		switch m := c.Msg.(type) {
		case messages.TasksReady:
			var r []string
			for _, i := range m.Ready {
				r = append(r, d.n.list[i])
			}
			if len(r) > 0 {
				out = append(out, "ready "+strings.Join(r, " "))
			}
			if m.Stop {
				out = append(out, "close admission spares-restores=true"+d.spared(m.Spared))
			}
		case messages.BeginTask:
			out = append(out, "begin "+d.n.list[m.Task])
		case messages.OutcomeRecorded:
			out = append(out, "recorded "+d.n.list[m.Task])
		case messages.ClaimJudged:
			out = append(out, fmt.Sprintf("judged %s violated=%v", d.n.list[m.Task], m.Violated))
		case messages.CancelTask:
			s := "cancel " + d.n.list[m.Task]
			if m.SpareRunning {
				s += " unless it runs"
			}
			if m.Interrupt {
				s += " by SIGINT first"
			}
			if m.Force {
				s += " by force"
			}
			out = append(out, s)
		case messages.CancelOne:
			out = append(out, fmt.Sprintf("pass on to %s: request %d, cancel", d.n.list[m.Task], m.N))
		case messages.RestartOne:
			out = append(out, fmt.Sprintf("pass on to %s: request %d, restart", d.n.list[m.Task], m.N))
		case messages.SetSlots:
			out = append(out, fmt.Sprintf("pass on to %s: request %d, %d slots", c.To, m.N, m.Slots))
		case messages.CommandAnswered:
			s := fmt.Sprintf("answer request %d: %s", m.N, m.Verdict)
			if m.Status != 0 {
				s += ", " + m.Status.String()
			}
			out = append(out, s)
		case messages.SkipTask:
			out = append(out, fmt.Sprintf("skip %s root=%s", d.n.list[m.Task], m.Root))
		case messages.CloseAdmission:
			out = append(out, fmt.Sprintf("close admission spares-restores=%v", m.SparesRestores)+d.spared(m.Spared))
		case messages.ReleaseTask:
			out = append(out, "release "+d.n.list[m.Task])
		case messages.AbandonProcess:
			out = append(out, "abandon "+d.n.list[m.Task])
		case messages.KillProcesses:
			out = append(out, "kill all processes")
		case messages.ReportIdle:
			out = append(out, fmt.Sprintf("ask %s when it is idle", c.To))
		case messages.UpstreamEnded:
			s := fmt.Sprintf("tell %s that %s has ended", d.n.list[m.Task], d.n.list[m.Upstream])
			if m.Began {
				s += ", which was started"
			}
			out = append(out, s)
		case messages.UpstreamFailed:
			out = append(out, fmt.Sprintf("tell %s that %s has failed", d.n.list[m.Task], d.n.list[m.Upstream]))
		case messages.UpstreamCompleted:
			out = append(out, fmt.Sprintf("tell %s that %s has completed", d.n.list[m.Task], d.n.list[m.Digests.Task]))
		case messages.ServiceNoted:
			out = append(out, "noted that the key of "+d.n.list[m.Task]+" is known")
		case messages.ServiceUnused:
			out = append(out, "tell "+d.n.list[m.Task]+" that nobody needs it")
		case messages.ServiceLost:
			s := fmt.Sprintf("tell %s that %s is lost", d.n.list[m.Task], d.n.list[m.Upstream])
			if m.Cancelled {
				s += ", and cancelled"
			}
			out = append(out, fmt.Sprintf("%s (%s, root %s, after %v)", s, m.Cause, m.Root, m.After))
		case messages.RunEnded:
			out = append(out, "the run has ended")
		case messages.ObserveEvent:
			out = append(out, d.event(m))
		default:
			out = append(out, fmt.Sprintf("%s %T", c.To, m))
		}
	}
	return strings.Join(out, "\n")
}

func (d *ledgerDialogue) spared(tasks []int) string {
	s := ""
	for _, i := range tasks {
		s += " " + d.n.list[i]
	}
	if s != "" {
		s = ", but for" + s
	}
	return s
}

func (d *ledgerDialogue) event(m messages.ObserveEvent) string {
	switch e := m.Event.(type) {
	case messages.TaskFinished:
		return "event " + e.Outcome.Task.String() + " " + describe(e.Outcome)
	case messages.ViolationFound:
		return fmt.Sprintf("event violation %s %v %s %s", e.Violation.Kind, e.Violation.Tasks, e.Violation.Path, e.Violation.Message)
	case messages.RunCancelling:
		s := fmt.Sprintf("event cancelling signal=%q force=%v", e.Signal, e.Force)
		if len(e.GoOn) > 0 {
			s += fmt.Sprintf(", %v go on", e.GoOn)
		}
		return s
	}
	return fmt.Sprintf("event %T", m.Event)
}

func describe(o messages.Outcome) string {
	switch o.Status {
	case messages.Completed:
		return [...]string{"", "completed (run)", "completed (cache)"}[o.Source]
	case messages.Failed:
		if o.Error != nil {
			return "errored: " + o.Error.Reason
		}
		if o.TimedOut > 0 {
			return fmt.Sprintf("failed (timed out after %v)", o.TimedOut)
		}
		return fmt.Sprintf("failed (exit %d)", o.ExitCode)
	}
	causes := map[messages.Cause]string{messages.UpstreamDidFail: "upstream failed", messages.UpstreamDidErr: "upstream errored",
		messages.RunStopped: "run stopped", messages.ConditionFalse: "condition", messages.NotNeeded: "not needed", messages.RuntimeCycle: "runtime cycle", messages.Signalled: "signalled",
		messages.UpstreamWasCancelled: "upstream cancelled", messages.RunCancelled: "run cancelled", messages.Requested: "requested"}
	s := "skipped"
	if o.Status == messages.Cancelled {
		s = "cancelled"
	}
	s += " (" + causes[o.Cause]
	if o.Root.Project != "" {
		s += ", root " + o.Root.String()
	}
	return s + ")"
}
