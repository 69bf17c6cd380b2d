package report

import (
	"fmt"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Look turns what happened into lines. Every method is a pure function of its arguments; texts end with a newline, or are
// empty when there is nothing to say.
type Look struct {
	Glyphs  Glyphs
	Palette Palette
}

// Finished is the summary line of a task (chapter 3, 10.2).
func (l Look) Finished(o messages.Outcome) string {
	return l.Palette.Prefix(o.Task) + l.ending(o) + "\n"
}

func (l Look) ending(o messages.Outcome) string {
	p, g := l.Palette, l.Glyphs
	took := p.Dim(onAttempt(o) + " in " + Duration(o.Took()))
	switch {
	case o.Status == messages.Completed && o.Source == messages.FromCache:
		return p.Green(g.Cached+" cached") + took
	case o.Kept:
		return p.Green(g.Done+" kept") + p.Dim(" after "+Duration(o.Took())+", for the next run")
	case o.Served:
		return p.Green(g.Done+" stopped") + p.Dim(" after "+Duration(o.Took()))
	case o.Status == messages.Completed:
		return p.Green(g.Done+" done") + took
	case o.Status == messages.Failed && o.Error != nil:
		if o.Started.IsZero() {
			took = ""
		}
		return p.Red(g.Failed+" errored") + took + p.Dim(" ("+diag.Escape(firstLine(o.Error.Reason))+")")
	case o.Status == messages.Failed:
		return p.Red(g.Failed+" failed") + took + p.Dim(" ("+exitText(lastAttempt(o))+")")
	case o.Status == messages.Skipped:
		return p.Yellow(g.Skipped+" skipped") + p.Dim(" ("+causeText(o)+")")
	case o.Cause == messages.ServiceDied:
		return p.Yellow(g.Cancelled+" cancelled") + took + p.Dim(" ("+causeText(o)+")")
	case o.Cause == messages.Signalled:
		return p.Yellow(g.Cancelled+" cancelled") + took
	case o.Cause == messages.Requested && o.Began():
		return p.Yellow(g.Cancelled+" cancelled") + took + p.Dim(" ("+causeText(o)+")")
	}
	return p.Yellow(g.Skipped+" cancelled") + p.Dim(" ("+causeText(o)+")")
}

// exitText says how a process failed: "exit 7", "signal 9", "timed out after 10m".
func exitText(a messages.Attempt) string {
	switch {
	case a.TimedOut > 0:
		return "timed out after " + workspace.Period(a.TimedOut)
	case a.Signal != 0:
		return fmt.Sprintf("signal %d", a.Signal)
	}
	return fmt.Sprintf("exit %d", a.ExitCode)
}

// lastAttempt is how a task that failed did so.
func lastAttempt(o messages.Outcome) messages.Attempt {
	return messages.Attempt{ExitCode: o.ExitCode, Signal: o.Signal, TimedOut: o.TimedOut}
}

// onAttempt says which attempt was the last one, where it was not the first.
func onAttempt(o messages.Outcome) string {
	if len(o.Failures) == 0 || o.Source == messages.FromCache {
		return ""
	}
	return fmt.Sprintf(" on attempt %d of %d", len(o.Failures)+1, o.Allowed)
}

// afresh says that the process of a task was stopped by request, and that another one follows (EXEC-084).
func (l Look) afresh() string {
	return l.Palette.Yellow(l.Glyphs.Cancelled+" stopped") + l.Palette.Dim(" (by request); again")
}

// again says that a process of a task failed, and what comes next (EXEC-046).
func (l Look) again(m messages.AttemptFailed) string {
	next := "again"
	if m.Wait > 0 {
		next = "again in " + workspace.Period(m.Wait)
	}
	return l.Palette.Yellow(fmt.Sprintf("%s attempt %d of %d failed", l.Glyphs.Failed, m.N, m.Allowed)) +
		l.Palette.Dim(fmt.Sprintf(" in %s (%s); %s", Duration(m.Attempt.Took), exitText(m.Attempt), next))
}

// Ready says that a service answers (EXEC-073).
func (l Look) Ready(m messages.ServiceStarted) string {
	where := ""
	if m.Port != 0 {
		where = fmt.Sprintf(" on port %d", m.Port)
	}
	return l.Palette.Prefix(m.Task) + l.Palette.Green(l.Glyphs.Done+" ready"+where) + l.Palette.Dim(" in "+Duration(m.Took)) + "\n"
}

// causeText says why a task was skipped or cancelled, naming the root (EXEC-011).
func causeText(o messages.Outcome) string {
	switch o.Cause {
	case messages.UpstreamDidFail:
		return "upstream " + o.Root.String() + " failed"
	case messages.UpstreamDidErr:
		return "upstream " + o.Root.String() + " errored"
	case messages.RunStopped:
		return "run stopped after " + o.Root.String() + " failed"
	case messages.RuntimeCycle:
		return "in runtime cycle closed by " + o.Root.String()
	case messages.ConditionFalse:
		return "condition"
	case messages.NotNeeded:
		return "not needed"
	case messages.ServiceNotReady:
		return "service " + o.Root.String() + " not ready after " + workspace.Period(o.TimedOut)
	case messages.ServiceDied:
		return "service " + o.Root.String() + " died"
	case messages.UpstreamWasCancelled:
		return "upstream " + o.Root.String() + " cancelled"
	case messages.Requested:
		return "by request"
	}
	return "run cancelled"
}

// annotation is what a failed task is called on a page of a CI service.
func (l Look) annotation(o messages.Outcome) string {
	if o.Error != nil {
		return o.Task.String() + " errored: " + diag.Escape(firstLine(o.Error.Reason))
	}
	return o.Task.String() + " failed (" + exitText(lastAttempt(o)) + ")"
}

// Miss says why a task runs (with -v).
func (l Look) Miss(m messages.TaskStarted) string {
	why := m.Miss.Detail
	if why == "" {
		why = m.Miss.Reason.String()
	}
	return l.Palette.Prefix(m.Task) + l.Palette.Dim(l.Glyphs.Dot+" miss: "+diag.Escape(firstLine(why))) + "\n"
}

// TaskNote is a remark on a task.
func (l Look) TaskNote(m messages.TaskNoted) string {
	prefix := l.Palette.Prefix(m.Task)
	s := prefix + "note: " + diag.Escape(m.Text) + "\n"
	if m.Hint != "" {
		s += prefix + l.Palette.Dim("  hint: "+diag.Escape(m.Hint)) + "\n"
	}
	return s
}

// RunNote is a remark on the run.
func (l Look) RunNote(m messages.RunNoted) string {
	s := "haz: note: " + diag.Escape(m.Text) + "\n"
	if m.Hint != "" {
		s += l.hint(m.Hint)
	}
	return s
}

func (l Look) hint(h string) string {
	return "    " + l.Palette.Cyan("hint:") + " " + diag.Escape(h) + "\n"
}

// Lost says that a part of a task's output could not be kept until its end.
func (l Look) Lost(id workspace.TaskID, bytes int64, err error) string {
	return l.Palette.Prefix(id) + fmt.Sprintf("note: %d bytes of output are not shown: %s\n", bytes, diag.Escape(cause(err)))
}

// Leftovers lists processes that outlived their task (with -v).
func (l Look) Leftovers(o messages.Outcome) string {
	var b strings.Builder
	for _, p := range o.Leftovers {
		fmt.Fprintf(&b, "%snote: left running: pid %d (%s)\n", l.Palette.Prefix(o.Task), p.PID, diag.Escape(firstLine(p.Command)))
	}
	return b.String()
}

// Cancelling answers a signal.
func (l Look) Cancelling(m messages.RunCancelling) string {
	who := m.Signal
	if who == "" {
		who = "run cancelled"
	}
	tasks := plural(m.Running, "task")
	switch {
	case m.Force:
		return fmt.Sprintf("haz: %s: killing %s\n", who, tasks)
	case len(m.GoOn) > 0:
		return l.finishing(who, tasks, m)
	case m.Running == 0:
		return fmt.Sprintf("haz: %s: stopping\n", who)
	case m.Signal == "":
		return fmt.Sprintf("haz: %s: stopping %s\n", who, tasks)
	case m.Grace <= 0:
		return fmt.Sprintf("haz: %s: stopping %s at once\n", who, tasks)
	}
	return fmt.Sprintf("haz: %s: stopping %s, up to %s; again to kill\n", who, tasks, Grace(m.Grace))
}

// finishing is Cancelling of a run in which finalizers go on (EXEC-050).
func (l Look) finishing(who, tasks string, m messages.RunCancelling) string {
	again := "; again to kill"
	if m.Signal == "" {
		again = ""
	}
	switch {
	case m.Running == 0:
		return fmt.Sprintf("haz: %s: finishing what was started%s\n", who, again)
	case m.Grace <= 0:
		return fmt.Sprintf("haz: %s: stopping %s at once, then finalizers%s\n", who, tasks, again)
	}
	return fmt.Sprintf("haz: %s: stopping %s, up to %s, then finalizers%s\n", who, tasks, Grace(m.Grace), again)
}

// fewUnstarted is how many tasks that were cancelled before they began are still named one by one.
const fewUnstarted = 5

// NeverStarted says which tasks were cancelled before they began: a summary line each for a few, one line for many, so that
// what an interrupted run was doing stays on the screen.
func (l Look) NeverStarted(os []messages.Outcome) string {
	if len(os) > fewUnstarted {
		return fmt.Sprintf("haz: %d tasks cancelled before they started\n", len(os))
	}
	var b strings.Builder
	for _, o := range os {
		b.WriteString(l.Finished(o))
	}
	return b.String()
}

// Violation is the sentence about a broken runtime invariant (S-09).
func (l Look) Violation(v messages.Violation) string {
	var s, hint string
	switch v.Kind {
	case messages.OutputOverlap:
		s = "output overlap (EXEC-020): " + diag.Escape(v.Path)
		if len(v.Tasks) == 2 {
			s += " written by " + v.Tasks[0].String() + " and " + v.Tasks[1].String()
		}
	case messages.RuntimeCycleViolation:
		names := make([]string, len(v.Tasks))
		for i, t := range v.Tasks {
			names[i] = t.String()
		}
		s = fmt.Sprintf("runtime cycle (EXEC-019): %s: %s of %s matches the input %s of %s", strings.Join(names, ", "),
			diag.Escape(v.Path), v.From, diag.Escape(v.Pattern), v.To)
		if v.Glob {
			hint = "take the file away from the inputs of " + v.To.String() + " with `exclude`"
		}
	default:
		s = "internal: " + diag.Escape(firstLine(v.Message))
		hint = "this is a defect of haz: please report it"
	}
	s = l.Palette.Red("violation:") + " " + s + "\n"
	if hint != "" {
		s += l.hint(hint)
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
