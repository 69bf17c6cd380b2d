package report

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// longest is how many of the slowest tasks -v names.
const longest = 5

// tally is what the epilogue and the progress line know of a run.
type tally struct {
	start, end time.Time
	selected   int
	running    int
	ended      int
	counts     messages.Counts
	counted    bool // counts are those of RunFinished
	failed     []messages.Outcome
	flaky      []messages.Outcome         // succeeded after attempts that failed
	tails      map[workspace.TaskID]*tail // of failed tasks, in live mode
	unstarted  []messages.Outcome         // cancelled before they began, and not shown yet
	slow       []Slow
	violations []messages.Violation
}

// Slow is a task that ran, and for how long.
type Slow struct {
	Task workspace.TaskID
	Took time.Duration
}

// Epilogue is what stands at the end of a run.
type Epilogue struct {
	Failed     []messages.Outcome // failed and errored, canonical order
	Flaky      []messages.Outcome // succeeded after attempts that failed, canonical order
	Tails      map[workspace.TaskID]*tail
	Violations []messages.Violation
	Counts     messages.Counts
	Took       time.Duration
	Details    bool // with -v: hit rate and longest tasks
	Slow       []Slow
}

func (t *tally) add(o messages.Outcome) {
	t.ended++
	if !t.counted {
		t.counts.Add(o)
	}
	if o.Status == messages.Failed {
		t.failed = append(t.failed, o)
	}
	if o.Flaky() && o.Source == messages.FromRun {
		t.flaky = append(t.flaky, o)
	}
	if o.Status == messages.Completed && o.Source == messages.FromRun || o.Status == messages.Failed {
		t.slow = append(t.slow, Slow{o.Task, o.Took()})
		slices.SortStableFunc(t.slow, func(a, b Slow) int {
			return cmp.Or(cmp.Compare(b.Took, a.Took), a.Task.Compare(b.Task))
		})
		t.slow = t.slow[:min(len(t.slow), longest)]
	}
}

func (t *tally) epilogue(details bool) Epilogue {
	for _, os := range [][]messages.Outcome{t.failed, t.flaky} {
		slices.SortFunc(os, func(a, b messages.Outcome) int { return a.Task.Compare(b.Task) })
	}
	return Epilogue{Failed: t.failed, Flaky: t.flaky, Tails: t.tails, Violations: t.violations, Counts: t.counts, Took: t.end.Sub(t.start), Details: details, Slow: t.slow}
}

// reasonColumn is where the recap's command to run a task again stands, counted from the reason.
const reasonColumn = 41

// Epilogue is the recap of failures and violations, if any, and the two closing lines.
func (l Look) Epilogue(e Epilogue) string {
	var b strings.Builder
	if len(e.Flaky) > 0 {
		b.WriteString(l.Palette.Yellow("flaky:") + "\n")
		l.flaky(&b, e.Flaky)
	}
	if len(e.Failed) > 0 {
		b.WriteString(l.Palette.Red("failed:") + "\n")
		l.recap(&b, e)
	}
	for _, v := range e.Violations {
		b.WriteString(l.Violation(v))
	}
	b.WriteString("\n" + l.Palette.Bold("Tasks:") + " " + l.counts(e.Counts) + "\n")
	b.WriteString(l.Palette.Bold(" Time:") + " " + Duration(e.Took) + "\n")
	if e.Details {
		l.details(&b, e)
	}
	return b.String()
}

// recap names each failure once more: task, reason, and the command that runs it again; of one that could not be carried
// out, the whole chain of causes and the hint instead; and below that what the task printed last.
func (l Look) recap(b *strings.Builder, e Epilogue) {
	width := idColumn(e.Failed)
	for _, o := range e.Failed {
		id := o.Task.String()
		l.recapped(b, o.Task, width)
		if o.Error == nil {
			reason := exitText(lastAttempt(o))
			b.WriteString(reason + pad(reason, reasonColumn-1) + " " + l.Palette.Dim("haz run "+id) + "\n")
		} else {
			l.taskError(b, *o.Error)
		}
		l.tail(b, e.Tails[o.Task])
	}
}

// flaky names each task that was tried more than once and succeeded: on which attempt, and how the ones before it failed.
func (l Look) flaky(b *strings.Builder, os []messages.Outcome) {
	width := idColumn(os)
	for _, o := range os {
		l.recapped(b, o.Task, width)
		var how []string
		for _, a := range o.Failures {
			if text := exitText(a); !slices.Contains(how, text) {
				how = append(how, text)
			}
		}
		b.WriteString("done" + onAttempt(o) + l.Palette.Dim(" ("+strings.Join(how, ", ")+")") + "\n")
	}
}

// recapped begins the line of a task in a recap.
func (l Look) recapped(b *strings.Builder, id workspace.TaskID, width int) {
	b.WriteString("  " + l.Palette.paint(l.Palette.taskCode(id), id.String()) + pad(id.String(), width) + "   ")
}

func idColumn(os []messages.Outcome) (width int) {
	for _, o := range os {
		width = max(width, len(o.Task.String()))
	}
	return min(width, 40)
}

func (l Look) taskError(b *strings.Builder, e messages.TaskError) {
	b.WriteString(diag.Escape(firstLine(e.Reason)) + "\n")
	for _, c := range e.Causes {
		for i, line := range strings.Split(strings.TrimRight(c, "\n"), "\n") {
			lead := "    because: "
			if i > 0 {
				lead = "             "
			}
			b.WriteString(lead + l.Palette.Dim(diag.Escape(strings.ReplaceAll(line, "\t", "    "))) + "\n")
		}
	}
	if e.Hint != "" {
		b.WriteString(l.hint(e.Hint))
	}
}

// tail repeats lines of a task as they were. The bar before each keeps a CI service from reading them as commands once more.
func (l Look) tail(b *strings.Builder, t *tail) {
	if t == nil {
		return
	}
	if t.n > tailLines {
		b.WriteString("    " + l.Palette.Dim(fmt.Sprintf("| (the last %d of %d lines)", tailLines, t.n)) + "\n")
	}
	t.all(func(line []byte) {
		b.WriteString("    " + l.Palette.Dim("|") + " ")
		b.Write(line)
		if l.Palette.On && bytes.IndexByte(line, esc) >= 0 {
			b.WriteString(reset)
		}
		b.WriteByte('\n')
	})
}

func pad(s string, width int) string { return strings.Repeat(" ", max(0, width-len(s))) }

func (l Look) counts(c messages.Counts) string {
	completed := l.Palette.Green(fmt.Sprintf("%d completed", c.Completed))
	var of []string
	if c.Cached > 0 {
		of = append(of, fmt.Sprintf("%d cached", c.Cached))
	}
	if c.Flaky > 0 {
		of = append(of, l.Palette.Yellow(fmt.Sprintf("%d flaky", c.Flaky)))
	}
	if len(of) > 0 {
		completed += " (" + strings.Join(of, ", ") + ")"
	}
	parts := []string{completed}
	add := func(n int, word string, paint func(string) string) {
		if n > 0 {
			parts = append(parts, paint(fmt.Sprintf("%d %s", n, word)))
		}
	}
	add(c.Failed, "failed", l.Palette.Red)
	add(c.Skipped, "skipped", l.Palette.Yellow)
	add(c.Cancelled, "cancelled", l.Palette.Yellow)
	return strings.Join(parts, ", ")
}

func (l Look) details(b *strings.Builder, e Epilogue) {
	if n := e.Counts.Completed + e.Counts.Failed; n > 0 {
		fmt.Fprintf(b, "%s %d of %d from the cache (%d%%)\n", l.Palette.Bold(" Hits:"), e.Counts.Cached, n, 100*e.Counts.Cached/n)
	}
	for i, s := range e.Slow {
		lead := strings.Repeat(" ", len("Longest: "))
		if i == 0 {
			lead = l.Palette.Bold("Longest:") + " "
		}
		fmt.Fprintf(b, "%s%s %s\n", lead, s.Task, l.Palette.Dim(Duration(s.Took)))
	}
}
