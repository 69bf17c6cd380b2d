package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
)

// helpOfTask is help on the tasks that a word names (chapter 3, 13.5). Where it names none, or there is no workspace, the error says so.
func (v *invocation) helpOfTask(word string) (string, error) {
	r, err := haz.ParseReference(word)
	if err != nil {
		return "", &hinted{diag.Quote(word) + ": " + err.Error(), v.meant(word, err)}
	}
	w, err := v.open()
	if err != nil {
		return "", err
	}
	defer w.Close()
	named, err := w.Resolve(r)
	if err != nil {
		return "", &hinted{"no help on " + diag.Quote(word) + ": " + err.Error(), w.Hint(word, err)}
	}
	switch ts := offered(named); len(ts) {
	case 0:
		return "", &hinted{"no help on " + diag.Quote(word) + ": the task is internal", "haz why " + named[0].ID.String() + " explains it"}
	case 1:
		return taskHelp(w, ts[0], pageWidth(v.width())), nil
	default:
		return fmt.Sprintf("%s: %d tasks\n\nUsage: haz run %s\n\nTasks:\n", word, len(ts), word) + columns(briefs(ts), pageWidth(v.width())), nil
	}
}

// taskHelp says of a task what it is for, how it is run, what it does and what runs before it. What its key is made of is for haz why.
func taskHelp(w *haz.Workspace, t *haz.Task, width int) string {
	var b strings.Builder
	name := t.ID.String()
	brief, more := t.Brief(), ""
	if brief == "" {
		brief = "a task without a description"
	} else {
		_, more, _ = strings.Cut(strings.TrimSpace(t.Description), "\n")
	}
	fmt.Fprintf(&b, "%s: %s\n\nUsage: haz run %s", name, diag.Escape(brief), name)
	if haz.TakesArguments(t) {
		b.WriteString(" [-- ARGUMENT...]")
	}
	b.WriteString("\n")
	if more = strings.TrimSpace(more); more != "" {
		b.WriteString("\n" + visible(more) + "\n")
	}
	b.WriteString("\n" + strings.TrimRight(actionText(t), "\n") + "\n")
	up := w.G.Up[t.Index]
	if before := offered(slices.Concat(w.G.Ends(up, haz.Hard), w.G.Ends(up, haz.Soft))); len(before) > 0 { // those it pulls in first
		b.WriteString("\nRuns after:\n" + columns(briefs(before), width))
	}
	fmt.Fprintf(&b, "\nIt stands in %s:%d. Its inputs, outputs and key: haz why %s\n", diag.Escape(t.Place.File), t.Place.Line, name)
	return b.String()
}

// offered are the tasks that are not internal: those that people are shown.
func offered(ts []*haz.Task) (shown []*haz.Task) {
	for _, t := range ts {
		if !t.Internal {
			shown = append(shown, t)
		}
	}
	return shown
}

// briefs is a row for each task: its name, and what it is for.
func briefs(ts []*haz.Task) []row {
	rows := make([]row, len(ts))
	for i, t := range ts {
		rows[i] = row{t.ID.String(), diag.Escape(t.Brief())}
	}
	return rows
}
